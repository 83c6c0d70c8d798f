import Synchronization

/// What the threads of an upload and the run tell each other.
package struct UploadStatus {
    package enum Phase {
        case connecting
        /// The server has not answered yet, and why.
        case waiting(String)
        case registered(Registration)
        case failed(WandbError)
    }

    package var phase = Phase.connecting
    /// Ends every exchange and wait at once.
    package var stop = false
    package var wake = false
    package var finished = false
    var outcome = RunSender.Outcome.stopped
    package var stopRequested = false

    // Files: names to be sent, and those to be announced.
    package var files: [String] = []
    package var filesAtEnd: [String] = []
    package var liveFiles: [String] = []
    package var uploaded: [String] = []
    package var filesSent = 0
    package var filesFailed = 0
    package var filesWaiting = 0
    package var artifacts: [WBArtifactRecord] = []
    package var artifactsSent: [ArtifactOutcome] = []
    package var usedArtifacts: [String] = []
    /// No more files will come: send what waits, then end.
    package var drains = false
    package var drained = false

    package var rowsSent = 0
    package var rowsWaiting = 0
    /// Counts every answer that took something off our hands.
    package var progress = 0

    package var isSettled: Bool {
        switch phase {
        case .connecting: false
        default: true
        }
    }
}

/// How an artifact's upload ended.
package struct ArtifactOutcome: Sendable {
    package let clientID: String
    package let name: String
    package let error: String?
}

/// Bytes that moved on any connection: `finish` is patient as long as they do.
package enum TransferMeter {
    package static let moved = Atomic<Int>(0)
}
