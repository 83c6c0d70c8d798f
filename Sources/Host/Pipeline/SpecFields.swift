/// What a field of a pipeline spec holds.
package indirect enum SpecType: Sendable {
    case string, int, number, bool
    /// "3600s"
    case duration
    /// A Kubernetes quantity such as "512Mi".
    case quantity
    /// RFC 3339.
    case timestamp
    case oneOf([String])
    case list(SpecType)
    /// An object with any keys.
    case map(SpecType)
    case message(String)

    var description: String {
        switch self {
        case .string: "a string"
        case .int: "an integer"
        case .number: "a number"
        case .bool: "true or false"
        case .duration: "a duration in seconds such as \"3600s\""
        case .quantity: "a quantity in quotes such as \"512Mi\""
        case .timestamp: "a time such as \"2025-01-31T00:00:00Z\""
        case .oneOf(let words): "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
        case .list(let type): "a list (each entry \(type.description))"
        case .map(let type): "an object (each value \(type.description))"
        case .message: "an object"
        }
    }
}

/// The fields that Pachyderm 2.3 to 2.12 know, message by message. Any other field makes the server refuse the spec.
package enum SpecFields {
    package static func fields(of message: String) -> [String: SpecType] { messages[message] ?? [:] }

    /// Fields of old versions and of posts about them, and what to do about them.
    static let gone: [String: String] = [
        "standby": "use autoscaling", "enable_stats": "statistics are always kept", "cache_size": "it no longer exists",
        "max_queue_size": "it no longer exists", "chunk_spec": "use datum_set_spec", "batch": "it no longer exists",
        "atom": "use pfs", "git": "it no longer exists", "build": "build an image and name it in transform.image",
        "incremental": "it no longer exists", "hashtree_spec": "it no longer exists", "resource_spec": "use resource_requests",
        "coefficient": "use constant", "strategy": "use constant",
    ]

    /// Fields that pachctl or the server set themselves.
    static let setByClients = ["update", "reprocess", "dry_run", "spec_commit", "salt"]

    private static let resources = SpecType.message("resources")

    private static let messages: [String: [String: SpecType]] = [
        "spec": [
            "pipeline": .message("pipeline"), "description": .string, "transform": .message("transform"),
            "input": .message("input"), "parallelism_spec": .message("parallelism"), "egress": .message("egress"),
            "service": .message("service"), "spout": .message("spout"), "metadata": .message("metadata"),
            "output_branch": .string, "s3_out": .bool, "autoscaling": .bool, "resource_requests": resources,
            "resource_limits": resources, "sidecar_resource_limits": resources, "sidecar_resource_requests": resources,
            "datum_set_spec": .message("datum_set"), "datum_timeout": .duration, "job_timeout": .duration,
            "datum_tries": .int, "reprocess_spec": .oneOf(["until_success", "every_job"]),
            "scheduling_spec": .message("scheduling"), "pod_patch": .string, "pod_spec": .string, "salt": .string,
            "tolerations": .list(.message("toleration")), "determined": .message("determined"),
            "maximum_expected_uptime": .duration, "update": .bool, "reprocess": .bool, "dry_run": .bool,
            "spec_commit": .message("commit"),
        ],
        "pipeline": ["name": .string, "project": .message("project")],
        "project": ["name": .string],
        "repo": ["name": .string, "type": .string, "project": .message("project")],
        "branch": ["repo": .message("repo"), "name": .string],
        "commit": ["repo": .message("repo"), "branch": .message("branch"), "id": .string],
        "transform": [
            "image": .string, "cmd": .list(.string), "err_cmd": .list(.string), "stdin": .list(.string),
            "err_stdin": .list(.string), "env": .map(.string), "secrets": .list(.message("secret")),
            "image_pull_secrets": .list(.string), "accept_return_code": .list(.int), "user": .string,
            "working_dir": .string, "memory_volume": .bool, "datum_batching": .bool, "debug": .bool, "dockerfile": .string,
        ],
        "secret": ["name": .string, "key": .string, "env_var": .string, "mount_path": .string],
        "input": [
            "pfs": .message("pfs"), "cron": .message("cron"), "cross": .list(.message("input")),
            "union": .list(.message("input")), "join": .list(.message("input")), "group": .list(.message("input")),
        ],
        "pfs": [
            "repo": .string, "glob": .string, "name": .string, "project": .string, "repo_type": .string, "branch": .string,
            "commit": .string, "join_on": .string, "outer_join": .bool, "group_by": .string, "lazy": .bool,
            "empty_files": .bool, "s3": .bool, "trigger": .message("trigger"), "propagation_spec": .message("propagation"),
            "reference": .bool,
        ],
        "trigger": [
            "branch": .string, "all": .bool, "rate_limit_spec": .string, "size": .string, "commits": .int, "cron_spec": .string,
        ],
        "propagation": ["never": .bool],
        "cron": [
            "name": .string, "repo": .string, "project": .string, "commit": .string, "spec": .string, "overwrite": .bool,
            "start": .timestamp,
        ],
        "parallelism": ["constant": .int],
        "egress": ["URL": .string, "object_storage": .message("object_storage"), "sql_database": .message("sql_database")],
        "object_storage": ["url": .string],
        "sql_database": ["url": .string, "file_format": .message("file_format"), "secret": .message("egress_secret")],
        "file_format": ["type": .oneOf(["UNKNOWN", "CSV", "JSON", "PARQUET"]), "columns": .list(.string)],
        "egress_secret": ["name": .string, "key": .string],
        "service": ["internal_port": .int, "external_port": .int, "ip": .string, "type": .string],
        "spout": ["service": .message("service")],
        "metadata": ["annotations": .map(.string), "labels": .map(.string)],
        "resources": ["cpu": .number, "memory": .quantity, "disk": .quantity, "gpu": .message("gpu")],
        "gpu": ["type": .string, "number": .int],
        "datum_set": ["number": .int, "size_bytes": .int, "per_worker": .int],
        "scheduling": ["node_selector": .map(.string), "priority_class_name": .string],
        "toleration": [
            "key": .string, "operator": .oneOf(["EMPTY", "EXISTS", "EQUAL"]), "value": .string,
            "effect": .oneOf(["ALL_EFFECTS", "NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"]), "toleration_seconds": .int,
        ],
        "determined": ["workspaces": .list(.string)],
    ]
}
