#include "CPrelude.h"
#include <string.h>

// A module is added in two lines: its text here, its name below.
static const char lists[] = {
#embed "../Host/Prelude/lists.lua"
};
static const char tensor[] = {
#embed "../Host/Prelude/tensor.lua"
};
static const char class[] = {
#embed "../Host/Prelude/class.lua"
};
static const char nn[] = {
#embed "../Host/Prelude/nn.lua"
};
static const char nn_module[] = {
#embed "../Host/Prelude/nn_module.lua"
};
static const char nn_draw[] = {
#embed "../Host/Prelude/nn_draw.lua"
};
static const char nn_init[] = {
#embed "../Host/Prelude/nn_init.lua"
};
static const char nn_containers[] = {
#embed "../Host/Prelude/nn_containers.lua"
};
static const char nn_layers[] = {
#embed "../Host/Prelude/nn_layers.lua"
};
static const char nn_conv[] = {
#embed "../Host/Prelude/nn_conv.lua"
};
static const char nn_norm[] = {
#embed "../Host/Prelude/nn_norm.lua"
};
static const char nn_activations[] = {
#embed "../Host/Prelude/nn_activations.lua"
};
static const char nn_losses[] = {
#embed "../Host/Prelude/nn_losses.lua"
};
static const char nn_recurrent[] = {
#embed "../Host/Prelude/nn_recurrent.lua"
};
static const char nn_attention[] = {
#embed "../Host/Prelude/nn_attention.lua"
};
static const char nn_utils[] = {
#embed "../Host/Prelude/nn_utils.lua"
};
static const char nn_files[] = {
#embed "../Host/Prelude/nn_files.lua"
};
static const char nn_onnx[] = {
#embed "../Host/Prelude/nn_onnx.lua"
};
static const char optim[] = {
#embed "../Host/Prelude/optim.lua"
};
static const char optim_first_order[] = {
#embed "../Host/Prelude/optim_first_order.lua"
};
static const char optim_lbfgs[] = {
#embed "../Host/Prelude/optim_lbfgs.lua"
};
static const char scheduler[] = {
#embed "../Host/Prelude/scheduler.lua"
};
static const char scheduler_formulas[] = {
#embed "../Host/Prelude/scheduler_formulas.lua"
};
static const char scheduler_more[] = {
#embed "../Host/Prelude/scheduler_more.lua"
};

static const char wandb[] = {
#embed "../Host/Prelude/wandb.lua"
};
static const char wandb_media[] = {
#embed "../Host/Prelude/wandb_media.lua"
};
static const char wandb_artifacts[] = {
#embed "../Host/Prelude/wandb_artifacts.lua"
};
static const char wandb_watch[] = {
#embed "../Host/Prelude/wandb_watch.lua"
};
static const char wandb_sweeps[] = {
#embed "../Host/Prelude/wandb_sweeps.lua"
};
static const char wandb_api[] = {
#embed "../Host/Prelude/wandb_api.lua"
};
static const char wandb_console[] = {
#embed "../Host/Prelude/wandb_console.lua"
};
static const char data[] = {
#embed "../Host/Prelude/data.lua"
};
static const char data_pass[] = {
#embed "../Host/Prelude/data_pass.lua"
};
static const char cli[] = {
#embed "../Host/Prelude/cli.lua"
};
static const char progress[] = {
#embed "../Host/Prelude/progress.lua"
};
static const char surface[] = {
#embed "../Host/Prelude/surface.lua"
};
static const char types[] = {
#embed "../Host/Prelude/types.lua"
};
static const char session[] = {
#embed "../Host/Prelude/session.lua"
};
static const char session_print[] = {
#embed "../Host/Prelude/session_print.lua"
};
static const char session_frames[] = {
#embed "../Host/Prelude/session_frames.lua"
};
static const char session_complete[] = {
#embed "../Host/Prelude/session_complete.lua"
};
static const char session_commands[] = {
#embed "../Host/Prelude/session_commands.lua"
};
static const char reference[] = {
#embed "../Host/Prelude/reference.lua"
};

#define PRELUDE(name) { #name, name, sizeof name }

static const struct { const char *name, *text; size_t length; } preludes[] = {
    PRELUDE(lists),
    PRELUDE(tensor),
    PRELUDE(class),
    PRELUDE(nn),
    PRELUDE(nn_module),
    PRELUDE(nn_draw),
    PRELUDE(nn_init),
    PRELUDE(nn_containers),
    PRELUDE(nn_layers),
    PRELUDE(nn_conv),
    PRELUDE(nn_norm),
    PRELUDE(nn_activations),
    PRELUDE(nn_losses),
    PRELUDE(nn_recurrent),
    PRELUDE(nn_attention),
    PRELUDE(nn_utils),
    PRELUDE(nn_files),
    PRELUDE(nn_onnx),
    PRELUDE(optim),
    PRELUDE(optim_first_order),
    PRELUDE(optim_lbfgs),
    PRELUDE(scheduler),
    PRELUDE(scheduler_formulas),
    PRELUDE(scheduler_more),
    PRELUDE(wandb),
    PRELUDE(wandb_media),
    PRELUDE(wandb_artifacts),
    PRELUDE(wandb_watch),
    PRELUDE(wandb_sweeps),
    PRELUDE(wandb_api),
    PRELUDE(wandb_console),
    PRELUDE(data),
    PRELUDE(data_pass),
    PRELUDE(cli),
    PRELUDE(progress),
    { "host.surface", surface, sizeof surface },
    { "host.types", types, sizeof types },
    PRELUDE(session),
    PRELUDE(session_print),
    PRELUDE(session_frames),
    PRELUDE(session_complete),
    PRELUDE(session_commands),
    { "host.reference", reference, sizeof reference },
};

const char *chost_prelude(const char *name, size_t *length) {
    for (size_t i = 0; i < sizeof preludes / sizeof *preludes; i++)
        if (strcmp(preludes[i].name, name) == 0) {
            *length = preludes[i].length;
            return preludes[i].text;
        }
    return NULL;
}
