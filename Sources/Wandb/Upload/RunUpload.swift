#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// How far a live log is written, and what comes after that: records that a full disk did not take.
final class LogEnd: Sendable {
    let offset = Atomic<Int64>(0)
    private let rest = Mutex<[[UInt8]]>([])

    func leave(_ records: [[UInt8]]) { rest.withLock { $0 = records.reversed() } }
    func takeRest() -> [UInt8]? { rest.withLock { $0.popLast() } }
    var hasRest: Bool { rest.withLock { !$0.isEmpty } }
}

/// The upload of a live run: its threads, and what the run asks of them.
final class RunUpload: Sendable {
    let status = Signal(UploadStatus())
    private let thread: BackgroundThread

    init(
        settings: Settings, directory: RunDirectory, source: RunSender.Source, notices: Notices,
        resume: ResumeStatus? = nil, onStop: @escaping @Sendable () -> Void = {}
    ) {
        let status = status
        thread = BackgroundThread {
            let sender = RunSender(
                settings: settings, directory: directory, source: source, status: status, notices: notices, resume: resume)
            sender.onStop = onStop
            var failure: WandbError?
            do throws(WandbError) {
                let outcome = try sender.send()
                if case .stopped = outcome {} else {
                    try? Files.write([], to: directory.syncedMark)
                    unlink(directory.openRow)
                    // The copies of what artifacts held have served, unless one did not arrive.
                    if status.read({ $0.artifactsSent.allSatisfy { $0.error == nil } }) {
                        Files.removeTree("\(directory.path)/artifacts")
                    }
                }
                status.update { $0.outcome = outcome }
            } catch {
                failure = error
            }
            if failure != nil { status.update { $0.stop = true } }
            sender.joinUploader()
            status.update {
                if let failure { $0.phase = .failed(failure) }
                $0.finished = true
            }
        }
        if !thread.isStarted {
            status.update {
                $0.phase = .failed(WandbError(.unreachable, "wandb: no thread could be started for the upload"))
                $0.finished = true
            }
        }
    }

    func wake() { status.update { $0.wake = true } }

    /// Waits for the server's word on the run, but not for a server that does not answer.
    func awaitRegistration(_ seconds: Double) -> UploadStatus.Phase {
        status.wait(seconds) { $0.isSettled }
        return status.read(\.phase)
    }

    var registration: Registration? {
        if case .registered(let registration) = status.read(\.phase) { registration } else { nil }
    }

    /// Waits until everything is on the server, as long as something moves. Nil when it is; else why not.
    func finish(settings: Settings, notices: Notices, isInterrupted: () -> Bool) -> String? {
        wake()
        let began = Clock.monotonic()
        var lastProgress = began
        var seen = (status.read(\.progress), TransferMeter.moved.load(ordering: .relaxed))
        var reason: String?
        while !status.wait(0.25, until: { $0.finished }) {
            let now = Clock.monotonic()
            let current = (status.read(\.progress), TransferMeter.moved.load(ordering: .relaxed))
            if current != seen { (seen, lastProgress) = (current, now) }
            if let limit = settings.finishTimeout, now - began >= limit {
                reason = "the upload took longer than \(limit) s"
            } else if now - lastProgress >= settings.finishPatience {
                reason = "the server has taken nothing for \(Int(settings.finishPatience)) s"
            } else if isInterrupted() {
                reason = "interrupted"
            }
            if reason != nil { break }
            notices.progress(progressLine(quietFor: now - lastProgress, patience: settings.finishPatience))
        }
        notices.progress(nil)
        status.update { $0.stop = true }
        thread.join()
        if reason == nil {
            switch status.read(\.phase) {
            case .failed(let error): reason = "\(error)"
            case .registered: if case .stopped = status.read(\.outcome) { reason = "the server refused a part of it" }
            case .connecting, .waiting: reason = "the server did not answer"
            }
        }
        return reason
    }

    var rowsSent: Int { status.read(\.rowsSent) }

    private func progressLine(quietFor: Double, patience: Double) -> String {
        status.read { value in
            if case .waiting(let reason) = value.phase {
                return "waiting for the server (\(reason)); \(Int(patience - quietFor)) s until the run is left for host sync"
            }
            let files = value.files.count + value.filesWaiting
            var parts = ["\(value.rowsSent) rows sent"]
            if value.rowsWaiting > 0 { parts.append("\(value.rowsWaiting) on their way") }
            if files > 0 { parts.append("\(files) files left") }
            if !value.artifacts.isEmpty { parts.append("\(value.artifacts.count) artifacts left") }
            if quietFor >= 5 { parts.append("no answer for \(Int(quietFor)) s, giving up at \(Int(patience)) s") }
            return "uploading: " + parts.joined(separator: ", ")
        }
    }
}
