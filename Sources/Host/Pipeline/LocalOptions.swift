/// How `host pipeline run` is asked to run a spec.
struct LocalOptions {
    /// Repo name to folder.
    var repos: [String: String] = [:]
    var state = ".pfs-local"
    /// Stands for the image's working directory.
    var workingFolder = "."
    /// More variables for the program, as `transform.env` would set them.
    var environment: [String: String] = [:]
    /// Run datums again that are unchanged.
    var reprocess = false
    /// Lay out `/pfs` under PFS_ROOT even where a private mount is possible.
    var usesRoot = false
    var secrets: [SecretFile] = []
}
