#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the working tree has that its commit has not, as `git diff` prints it: together with the commit it says which
/// code ran.
enum GitPatch {
    /// A repository so large that git needs longer goes without.
    private static let mostSeconds = 10.0

    /// Nil where there is no git, no commit, or no change.
    static func text(root: String, scratch: String) -> String? {
        defer { unlink(scratch) }
        // Nothing that the repository's own settings name is run, and nothing in it is written.
        let words = [
            "git", "-C", root, "--no-optional-locks", "-c", "core.fsmonitor=false", "diff", "--no-ext-diff",
            "--no-textconv", "--no-color", "--submodule=diff", "HEAD",
        ]
        guard run(words, output: scratch) else { return nil }
        return Files.readText(scratch).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func run(_ words: [String], output: String) -> Bool {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments = words.map { strdup($0) } + [nil]
        defer { for pointer in arguments { free(pointer) } }
        var child = pid_t()
        guard posix_spawnp(&child, words[0], &actions, nil, &arguments, environ) == 0 else { return false }
        let end = Clock.monotonic() + mostSeconds
        var status: Int32 = 0
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { return status == 0 }
            if ended < 0, errno != EINTR { return false }
            if Clock.monotonic() > end { kill(child, SIGKILL) }
            Clock.sleep(0.002)
        }
    }
}
