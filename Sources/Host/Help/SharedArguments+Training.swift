extension SharedArguments {
    static let training = [
        (
            "optim",
            """
            params: a list of tensors, or of groups {params = {...}, lr = ...}
            lr: the learning rate
            momentum: how much of the last step goes on
            dampening: how much of the gradient is left out of the momentum
            nesterov: looks ahead along the momentum
            weight_decay: how much of the parameters is taken off
            maximize: climbs instead of descending
            betas: the decay of the running means of gradients and of their squares
            eps: keeps the division from 0
            amsgrad: divides by the largest running size so far
            alpha: the decay of the running mean of squares
            centered: divides by the deviation instead of the size
            rho: the decay of the running means
            lr_decay: how much slower each step gets
            initial_accumulator_value: what the sums of squares begin with
            max_iter: the most iterations in a step
            max_eval: the most evaluations of the closure in a step; nil is 1.25 max_iter
            tolerance_grad: ends a step when no derivative is larger
            tolerance_change: ends a step when nothing changes more
            history_size: how many gradients are remembered
            line_search_fn: "strong_wolfe" searches along each direction
            param_group: a table with `params` and options
            set_to_none: makes gradients nil instead of 0
            state_dict: what state_dict gave
            """
        ),
        (
            "optim.lr_scheduler",
            """
            optimizer: whose rates are set
            gamma: the factor
            step_size: epochs from one change to the next
            milestones: the epochs, ascending
            T_max: epochs of half a period
            T_0: epochs of the first period
            T_mult: how many times longer each period is than the one before
            eta_min: the lowest rate
            max_lr: the highest rate, one number or one for each parameter group
            total_steps: how many steps there are; or give epochs and steps_per_epoch
            epochs: how many epochs there are
            steps_per_epoch: batches in an epoch
            pct_start: the part of the steps in which the rate rises
            anneal_strategy: along a cosine or a line
            cycle_momentum: moves momentum (or beta1) the other way
            base_momentum: the lowest momentum
            max_momentum: the highest momentum
            div_factor: max_lr divided by the first rate
            final_div_factor: the first rate divided by the last
            three_phase: falls as it rose, then to the last rate
            start_factor: the factor at the beginning
            end_factor: the factor at the end
            total_iters: epochs from one to the other
            lr_lambda: gives the factor for an epoch; a list has one function for each parameter group
            schedulers: the schedules, in their order
            mode: "min" when less is better, "max" when more is
            factor: what the rate is multiplied by
            patience: epochs without anything better that are let pass
            threshold: how much better counts as better
            threshold_mode: "rel" as a fraction of the best, "abs" as a difference
            cooldown: epochs after a change in which nothing is counted
            min_lr: the lowest rate, one number or one for each parameter group
            eps: changes below this are not made
            """
        ),
        (
            "data",
            """
            ...: tensors whose first dimensions agree; for compose transforms
            dataset: one of this module's, a plain Lua list (which counts from 1), or any object with __len and __index
            datasets: a list of datasets
            indices: positions, a list or an int64 tensor
            path: the file; ".gz" at the end is gzip
            tensor: what to write
            epoch: the number, from 0
            mean: what is subtracted: one number, or one for each channel
            std: what is divided by: one number, or one for each channel; of noise its standard deviation
            p: the probability
            """
        ),
        (
            "wandb",
            """
            aliases: names of this version beside its number, as {"best"}
            artifact: a wandb.Artifact, or the path of a file or directory
            base_path: the directory that names are relative to
            boxes: boxes to draw, as W&B's `box_data`
            caption: the text below the picture
            class_names: the names of the classes, in order
            columns: the names
            commit: false keeps the row open for more
            config: name to value: what the run was started with
            count: the most runs
            data: the rows, lists of values
            description: what it is
            dir: where the folder `wandb` is made
            entity: the user or team
            exit_code: 0 is success
            filters: W&B's filters, as {state = "finished"}
            fn: called for each run
            glob: a path or pattern
            goal: whether less or more is better
            group: runs of one group are shown together
            hidden: keeps it out of the charts
            id: the id; the same id goes on with the same run
            job_type: the kind of run, as "train"
            keys: the values that each row must have
            label: the column of names
            labels: the names of the classes, in order
            level: how serious it is
            log: what is watched
            log_freq: backward passes from one histogram to the next
            masks: masks to lay over, as W&B's `mask_data`
            metadata: what else is known
            mode: "online" sends, "offline" keeps for `host sync`, "disabled" does neither; nil decides by the key
            module: the module; unwatch takes all without
            name: the name; of artifacts `[entity/[project/]]name:alias` to find one
            notes: longer text
            num_bins: how many bins
            object: a wandb.Table
            order: the order: "+created_at" is oldest first
            overrides: settings
            path: the file or directory; of runs `[entity/]project` or `[entity/]project/id`
            per_page: the most runs
            policy: "live" sends changed files again, "now" once, "end" when the run finishes
            preds: the classes that were found, from 0
            project: the project
            resume: "allow", "must" or "never" (true: "allow"): whether to go on with a run of this id
            root: the folder to write to
            row: name to value
            save_code: keeps the script with the run
            settings: other settings by their names
            source: the tensor or the file
            step: the row's step; nil takes the next
            step_metric: the metric along which this one is drawn
            step_sync: puts the step metric's last value into rows that lack it
            stroke: the column that tells lines apart
            successor: the id of the run that takes its place
            summary: what is kept of it: "min", "max", "mean", "best", "last", "first", "copy", "none", joined by commas
            sweep: W&B's sweep config: method, metric, parameters
            sweep_id: what wandb.sweep gave
            table: a wandb.Table
            tags: a list of words
            text: the text
            timeout: seconds
            title: the title
            type: the type, as "dataset" or "model"
            uri: where it is
            value: the column of numbers
            values: the numbers
            x: the column along
            y: the column up
            y_probas: scores [N, C]
            y_true: the true classes, from 0
            """
        ),
        (
            "fs",
            """
            ...: the parts
            from: the file to copy
            to: where the copy goes
            path: the file or folder
            pattern: the pattern
            text: the new contents
            """
        ),
        (
            "pachyderm",
            """
            ...: the parts of the path
            fallback: the path outside a job
            name: the input's name in the pipeline
            """
        ),
        (
            "plot",
            """
            title: the text above the figure
            xlabel: the text below the x axis
            ylabel: the text beside the y axis
            xlim: {low, high}, what the x axis shows; nil takes all points
            ylim: {low, high}, what the y axis shows; nil takes all points
            xscale: how the x axis is divided
            yscale: how the y axis is divided
            width: pixels across
            height: pixels from top to bottom
            """
        ),
        ("progress", "values: name to value"),
        ("os", "code: the status: true, false or a number\nclose: whether Lua is closed first; it always is"),
    ]
}
