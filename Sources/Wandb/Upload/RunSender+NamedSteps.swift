import SwiftProtobuf

/// Rows whose step the script named. A try of a run that was killed computes some rows again: under the names that they
/// had before, so that each of them arrives once. Rows that were merely counted go on where the run's rows end.
extension WBHistoryRecord {
    /// A field of the row's step that other readers skip: number 1000, true.
    package static let namedStepMark: [UInt8] = [0xC0, 0x3E, 0x01]

    package var isStepNamed: Bool { Array(step.unknownFields.data) == Self.namedStepMark }
}

extension RunSender {
    /// Whether the server has the row from an earlier try.
    func isRepeated(_ row: WBHistoryRecord) -> Bool { row.isStepNamed && row.step.num <= lastStep }

    /// Whether the row that was open when the process ended belongs into the run.
    func isMissing(_ row: WBHistoryRecord) -> Bool {
        guard row.isStepNamed else { return row.step.num + stepBase > lastStep }
        return row.step.num > lastStep && !isComputedAgain(row.step.num)
    }

    /// Whether a later try of the run, whose log lies beside this one, holds the row whole.
    private func isComputedAgain(_ step: Int64) -> Bool {
        guard case .file = source else { return false }
        for log in directory.laterLogs {
            guard var reader = try? TransactionLogReader(path: log) else { continue }
            while case .record(let bytes, _) = reader.next() {
                guard case .history(let row)? = try? WBRecord(serializedBytes: bytes).recordType, row.isStepNamed else { continue }
                if row.step.num == step { return true }
                if row.step.num > step { break }
            }
        }
        return false
    }
}
