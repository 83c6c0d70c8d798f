#!/bin/sh
# Drives a Pachyderm cluster with pachctl; the Makefile calls it. Every command can be repeated.
#   PIPELINE  the pipeline (train-mnist)          SPEC   its spec (pipelines/$PIPELINE.json, or .jsonnet)
#   IMAGE     replaces the image of the spec      PACHD  address to connect to, such as grpc://localhost:80
set -eu

PIPELINE=${PIPELINE:-train-mnist}
IMAGE=${IMAGE:-}
PACHD=${PACHD:-}
DATA=${DATA:-data/mnist}
SPEC=${SPEC:-}
ARGS=${ARGS:-}

say() { echo "pachyderm: $*"; }
die() {
    echo "pachyderm: $*" >&2
    exit 1
}

find_spec() {
    [ -n "$SPEC" ] || SPEC=pipelines/$PIPELINE.json
    [ -e "$SPEC" ] || [ ! -e "${SPEC}net" ] || SPEC=${SPEC}net
    [ -e "$SPEC" ] || die "no spec $SPEC; PIPELINE=NAME takes pipelines/NAME.json, SPEC=FILE any file"
}

# Ends with advice when there is no pachctl or no cluster behind it.
need_cluster() {
    command -v pachctl >/dev/null 2>&1 ||
        die "pachctl is not installed. Install it in the version of your cluster (docs.pachyderm.com, 'Install pachctl'), or run the pipeline without a cluster: make pipeline-local"
    if [ -n "$PACHD" ]; then pachctl connect "$PACHD" >/dev/null || die "cannot connect to $PACHD"; fi
    pachctl version --timeout 10s >/dev/null 2>&1 ||
        die "no Pachyderm cluster answers. Connect to one: make all PACHD=grpc://localhost:80 (local) or PACHD=grpcs://HOST:443, then 'pachctl auth login' if it asks for it; without a cluster: make pipeline-local"
}

has_repo() { pachctl inspect repo "$1" >/dev/null 2>&1; }
has_pipeline() { pachctl inspect pipeline "$1" >/dev/null 2>&1; }
make_repo() { has_repo "$1" || pachctl create repo "$1"; }

# One commit with the whole folder, so that it starts one job.
push_data() {
    [ -d "$DATA" ] || die "no folder $DATA"
    (cd "$DATA" && pachctl put file -r mnist@master:/ -f ./)
}

# Only what is missing: a commit without changes would start a job for nothing.
push_missing_data() {
    for file in "$DATA"/*; do
        [ -e "$file" ] || die "the folder $DATA is empty"
        if ! pachctl inspect file "mnist@master:/$(basename "$file")" >/dev/null 2>&1; then
            push_data
            return
        fi
    done
    say "repo mnist has the files of $DATA; 'make push-data' puts them again"
}

# put_pipeline create|update [options]
put_pipeline() {
    verb=$1
    shift
    find_spec
    case $SPEC in
    *.jsonnet)
        set -- --jsonnet "$SPEC" "$@"
        for word in ${IMAGE:+image=$IMAGE} $ARGS; do set -- "$@" --arg "$word"; done
        pachctl "$verb" pipeline "$@"
        ;;
    *)
        if [ -n "$IMAGE" ]; then
            sed "s|\"image\": *\"[^\"]*\"|\"image\": \"$IMAGE\"|" "$SPEC" | pachctl "$verb" pipeline "$@" -f -
        else
            pachctl "$verb" pipeline "$@" -f "$SPEC"
        fi
        ;;
    esac
}

# An update would start a new job and kill a running one, even with the same spec: so only what is missing is made.
make_pipeline() {
    if has_pipeline "$PIPELINE"; then
        say "pipeline $PIPELINE is there; 'make update' gives it a new spec, script or image"
    else
        put_pipeline create
    fi
}

make_secret() { pachctl inspect secret wandb >/dev/null 2>&1 || secret; }

# The key goes from WANDB_API_KEY, or a prompt without echo, into a file that only its owner can read.
# It is never a word of a command line, where others could see it.
secret() {
    key=${WANDB_API_KEY:-}
    if [ -z "$key" ] && [ -t 0 ]; then
        printf 'W&B API key (empty: runs stay offline): ' >&2
        stty -echo
        read -r key || key=
        stty echo
        echo >&2
    fi
    case $key in *[!A-Za-z0-9_-]*) die "the W&B key holds a character that no key has; was it pasted whole?" ;; esac
    [ -n "$key" ] || say "no W&B key (WANDB_API_KEY): runs will be logged offline, into the output repo"
    (
        umask 077
        rm -f secrets.local.json
        while IFS= read -r line; do
            case $line in
            *'<API KEY>'*) printf '%s%s%s\n' "${line%%<API KEY>*}" "$key" "${line#*<API KEY>}" ;;
            *) printf '%s\n' "$line" ;;
            esac
        done <secrets.json >secrets.local.json
    )
    if pachctl inspect secret wandb >/dev/null 2>&1; then pachctl delete secret wandb; fi
    pachctl create secret -f secrets.local.json
}

newest_job() {
    pachctl list job -p "$PIPELINE" --state success |
        awk '{ gsub(/[",]/, " "); for (i = 1; i <= NF; i++) if (length($i) == 32 && $i !~ /[^0-9a-f]/) { print $i; exit } }'
}

case ${1:-} in
all)
    need_cluster
    make_repo mnist
    push_missing_data
    make_secret
    make_pipeline
    say "'make status' shows the jobs of $PIPELINE, 'make logs' what they print"
    ;;
create)
    need_cluster
    make_secret
    for repo in ${REPOS:-}; do make_repo "$repo"; done
    make_pipeline
    ;;
update)
    need_cluster
    put_pipeline update --reprocess
    ;;
clean)
    if ! command -v pachctl >/dev/null 2>&1; then
        say "no pachctl here, so there is nothing to remove from a cluster"
        exit 0
    fi
    need_cluster
    if has_pipeline "$PIPELINE"; then pachctl delete pipeline "$PIPELINE"; fi
    if has_repo mnist; then pachctl delete repo mnist; fi
    ;;
status)
    need_cluster
    pachctl list pipeline
    pachctl list job -p "$PIPELINE"
    ;;
logs)
    need_cluster
    # shellcheck disable=SC2086
    pachctl logs -p "$PIPELINE" $ARGS
    ;;
model)
    need_cluster
    job=$(newest_job)
    [ -n "$job" ] || die "pipeline $PIPELINE has no successful job yet; 'make status' shows its jobs"
    folder=out/$PIPELINE
    mkdir -p "$folder"
    # The branch's head can be the unfinished commit of a job that runs: the job's own commit is whole.
    for file in model.safetensors metrics.json run.json; do
        pachctl get file "$PIPELINE@$job:/$file" -o "$folder/$file.part"
        mv "$folder/$file.part" "$folder/$file"
    done
    say "model of job $job: $folder/model.safetensors"
    ;;
push-data)
    need_cluster
    make_repo mnist
    push_data
    ;;
push-script)
    need_cluster
    make_repo scripts
    pachctl start commit scripts@master
    pachctl put file scripts@master:/train.lua -f scripts/train.lua
    pachctl put file -r scripts@master:/lib -f scripts/lib
    pachctl finish commit scripts@master
    ;;
push-params)
    need_cluster
    [ -d "${PARAMS:-params}" ] || die "no folder ${PARAMS:-params}; make one with: host scripts/make_grid.lua"
    make_repo params
    pachctl put file -r params@master:/ -f "${PARAMS:-params}"
    ;;
promote)
    need_cluster
    make_repo production
    job=$(PIPELINE=evaluate && newest_job)
    [ -n "$job" ] || die "pipeline evaluate has no successful job yet"
    pachctl copy file --overwrite "evaluate@$job:/model.safetensors" production@master:/model.safetensors
    ;;
secret)
    need_cluster
    secret
    say "secret wandb is there; pods read it when they start: 'make update' restarts a pipeline's"
    ;;
*) die "unknown command '${1:-}'" ;;
esac
