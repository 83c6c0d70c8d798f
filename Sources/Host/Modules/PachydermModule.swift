#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// What the environment of a Pachyderm job says.
func registerPachyderm(_ lua: Lua) throws {
    try lua.module(
        "pachyderm",
        """
        pachyderm
        What the environment of a Pachyderm job says: `inside`, `pipeline`, `project`, `version`, `job_id`, `datum_id`, `output_commit`, `spec_commit` (nil outside a job).
        The variable PFS_ROOT moves `/pfs`, for tests and local runs.
        Example:
          print(pachyderm.inside) --> false
        """
    ) { m in
        let job = PachydermJob(environment: ProcessEnvironment.all())
        try m.set("inside", .bool(job.isInside))
        let texts = [
            ("pipeline", job.pipeline), ("project", job.project), ("job_id", job.jobID), ("datum_id", job.datumID),
            ("output_commit", job.outputCommit), ("spec_commit", job.specCommit),
        ]
        for (name, text) in texts {
            if let text { try m.set(name, .string(text)) }
        }
        if let version = job.version { try m.set("version", .int(version)) }
        for (name, kind, text) in facts { m.lua.docs.addField("pachyderm." + name, kind: kind, text, module: "pachyderm") }
        try m.add(identity(job))
        try m.add(paths(job))
    }
}

private let facts = [
    ("inside", "bool", "Whether this is a job."), ("pipeline", "string|nil", "The pipeline's name."),
    ("project", "string|nil", "Its project."), ("version", "int|nil", "Its version, where that can be told."),
    ("job_id", "string|nil", "The job's id."), ("datum_id", "string|nil", "The datum's id."),
    ("output_commit", "string|nil", "The commit that the job writes."), ("spec_commit", "string|nil", "The commit of the pipeline's spec."),
]

private func identity(_ job: PachydermJob) -> [Declaration] {
    [
        Declaration(
            """
            pachyderm.run_id() -> string|nil
            Gives an id for the W&B run of this datum: the same in every try and restart, different in every pipeline, job and datum; nil outside a job.
            Example:
              print(pachyderm.run_id()) --> nil
            See: pachyderm.provenance
            Source: Pachyderm's environment of a datum (PACH_JOB_ID, PACH_DATUM_ID, PPS_PIPELINE_NAME)
            """
        ) { call in if let id = job.runID { try call.push(id) } else { call.pushNil() } },
        Declaration(
            """
            pachyderm.commit(name: string) -> string|nil
            Gives the commit id of an input; nil outside a job and for an input the job does not have.
            Example:
              print(pachyderm.commit("mnist")) --> nil
            Source: Pachyderm's environment of a datum (NAME_COMMIT)
            """
        ) { call in if let id = job.commit(try call.string(0)) { try call.push(id) } else { call.pushNil() } },
        Declaration(
            """
            pachyderm.provenance() -> table
            Gives what leads from a run to its data and back, by the names of the environment: ids of job, datum and pipeline, commits of the inputs. Nothing else of the environment, which also holds secrets; empty outside a job.
            Example:
              print(next(pachyderm.provenance())) --> nil
            See: wandb.init
            Source: Pachyderm's environment of a datum
            """
        ) { call in try call.push(LuaValue.fields(job.provenance.map { ($0.name, .string($0.value)) })) },
    ]
}

private func paths(_ job: PachydermJob) -> [Declaration] {
    [
        Declaration(
            """
            pachyderm.input(name: string, fallback: string = nil) -> string
            Gives the path of this datum's part of an input: `/pfs/name` and what the glob matched. Outside a job: the fallback.
            Errors: an input that the job does not have, or whose files are not there; outside a job, no fallback
            Example:
              print(pachyderm.input("mnist", "data/mnist")) --> data/mnist
            Source: Pachyderm's file system: /pfs/NAME
            """
        ) { call in try call.push(try input(job, try call.string(0), fallback: call.stringIfPresent(1))) },
        Declaration(
            """
            pachyderm.output(...) -> string
            Gives a path below `/pfs/out` (outside a job: below `./out`), joined from its parts; the folder it lies in is made.
            Errors: a name that Pachyderm cannot store: only printable ASCII without `* ? [ ] { } ! ( ) @ + ^`
            Example:
              print(pachyderm.output("model.safetensors")) --> ./out/model.safetensors
            See: pachyderm.scratch
            Source: Pachyderm's file system: /pfs/out
            """
        ) { call in try call.push(try join(call, job.outputFolder)) },
        Declaration(
            """
            pachyderm.scratch(...) -> string
            Gives a path below a folder that the next try of the same datum finds again while it runs on the same pod (`/tmp/host-<run id>`; outside a job `./out/scratch`); the folder it lies in is made.
            Example:
              print(pachyderm.scratch("checkpoint.safetensors")) --> ./out/scratch/checkpoint.safetensors
            See: pachyderm.run_id
            Source: Pachyderm's datum retries
            """
        ) { call in try call.push(try join(call, job.scratchFolder)) },
    ]
}

private func input(_ job: PachydermJob, _ name: String, fallback: String?) throws -> String {
    guard job.isInside else {
        if let fallback { return fallback }
        throw LuaError("this is no Pachyderm job, and there is no fallback for input '\(name)'; pass one as second argument")
    }
    guard let path = job.input(name) else {
        let known = job.inputs
        let has = known.isEmpty ? "" : "; it has: \(known.joined(separator: ", "))\(Suggest.hint(name, in: known))"
        throw LuaError("\(job.root)/\(name) does not exist: the job has no input '\(name)'\(has)")
    }
    guard FileKind.exists(path) else { throw LuaError("input '\(name)': \(path) does not exist") }
    return path
}

private func join(_ call: Call, _ folder: String) throws -> String {
    var path = folder
    for k in 0..<call.restTotal {
        guard let part = try call.rest(k).asString else {
            throw LuaError("part \(k + 1): expected a string, got \(try call.rest(k).kindName)")
        }
        guard !part.isEmpty, !part.hasPrefix("/"), !part.split(separator: "/").contains("..") else {
            throw LuaError("part \(k + 1): expected a path below \(folder), got '\(part)'")
        }
        if let problem = OutputName.problem(part) {
            throw LuaError("part \(k + 1): Pachyderm cannot store '\(part)': \(problem); use letters, digits and . _ = , -")
        }
        path += "/" + part
    }
    // A bare folder is only named; a file's folder is made, so that the file can be written.
    if call.restTotal > 0, let slash = path.lastIndex(of: "/") {
        let parent = String(path[..<slash])
        guard Folder.make(parent) else { throw LuaError("cannot make the folder \(parent): \(String(cString: strerror(errno)))") }
    }
    return path
}
