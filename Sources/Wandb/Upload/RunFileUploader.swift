#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Sends run files and artifacts, on a thread of its own: a large file must not hold up the rows.
final class RunFileUploader {
    private let settings: Settings
    private let registration: Registration
    private let runID: String
    private let files: String
    private let status: Signal<UploadStatus>
    private let notices: Notices
    private let client: ServerClient
    private var sentDigests: [String: [UInt8]] = [:]
    private var liveTimes: [String: Int] = [:]

    /// Seconds in which files are collected for one request.
    private static let batchInterval = 5.0
    private static let namesPerRequest = 200
    private static let parallel = 16

    init(
        settings: Settings, registration: Registration, runID: String, files: String, status: Signal<UploadStatus>,
        notices: Notices, clientID: String?
    ) {
        self.settings = settings
        self.registration = registration
        self.runID = runID
        self.files = files
        self.status = status
        self.notices = notices
        client = ServerClient(
            settings: settings, clientID: clientID, stop: { status.read(\.stop) },
            pause: { seconds in status.wait(seconds) { $0.stop } })
    }

    func run() {
        defer { status.update { $0.drained = true } }
        while true {
            status.wait(15) { $0.stop || $0.drains || !$0.files.isEmpty || !$0.artifacts.isEmpty || !$0.usedArtifacts.isEmpty }
            if status.read({ !$0.drains && !$0.stop && $0.artifacts.isEmpty && !$0.files.isEmpty }) {
                status.wait(Self.batchInterval) { $0.stop || $0.drains || !$0.artifacts.isEmpty }
            }
            if status.read(\.stop) { return }
            noticeLiveFiles()
            let artifact = status.update { $0.artifacts.isEmpty ? nil : $0.artifacts.removeFirst() }
            if let artifact { upload(artifact) }
            let used = status.update { value -> [String] in
                defer { value.usedArtifacts = [] }
                return value.usedArtifacts
            }
            for id in used { use(id) }
            let batch = status.update { value -> [String] in
                defer { value.files = [] }
                value.filesWaiting = value.files.count
                return value.files
            }
            if !batch.isEmpty { send(batch) }
            let isDone = status.update { value -> Bool in
                value.filesWaiting = 0
                return value.drains && value.files.isEmpty && value.artifacts.isEmpty && value.usedArtifacts.isEmpty
            }
            if isDone { return }
        }
    }

    private func noticeLiveFiles() {
        for name in status.read(\.liveFiles) {
            var facts = stat()
            guard stat("\(files)/\(name)", &facts) == 0 else { continue }
            let time = facts.st_mtim.tv_sec &* 1_000_000_000 &+ facts.st_mtim.tv_nsec
            if let known = liveTimes[name], known != time { status.update { $0.files.append(name) } }
            liveTimes[name] = time
        }
    }

    private func send(_ names: [String]) {
        var seen: Set<String> = []
        var wanted: [String] = []
        for name in names where seen.insert(name).inserted && !isIgnored(name) {
            guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else { continue }
            guard Files.size("\(files)/\(name)") != nil,
                let digest = try? Digest.ofFile("\(files)/\(name)", .md5), sentDigests[name] != digest
            else { continue }
            // A medium's name says what is in it.
            if !name.hasPrefix("media/") { sentDigests[name] = digest }
            wanted.append(name)
        }
        for start in stride(from: 0, to: wanted.count, by: Self.namesPerRequest) {
            sendBatch(Array(wanted[start..<min(start + Self.namesPerRequest, wanted.count)]))
            if status.read(\.stop) { return }
        }
    }

    private func isIgnored(_ name: String) -> Bool {
        settings.ignoreGlobs.contains { fnmatch($0, name, 0) == 0 }
    }

    private func sendBatch(_ names: [String]) {
        let answer: WandbValue
        do {
            answer = try client.graphQL(
                Queries.createRunFiles,
                [
                    "entity": .string(registration.entity), "project": .string(registration.project),
                    "run": .string(runID), "files": .list(names.map { .string($0) }),
                ])["createRunFiles"] ?? .null
        } catch {
            fail(names, "\(error)")
            return
        }
        let headers = (answer["uploadHeaders"]?.listValue ?? []).compactMap(\.stringValue)
        var requests: [HTTPRequest] = []
        var asked: [String] = []
        for file in answer["files"]?.listValue ?? [] {
            guard let name = file["name"]?.stringValue, let url = file["uploadUrl"]?.stringValue, names.contains(name)
            else { continue }
            requests.append(client.uploadRequest(url, headers: headers, path: "\(files)/\(name)"))
            asked.append(name)
        }
        let missing = names.filter { !asked.contains($0) }
        if !missing.isEmpty { fail(missing, "the server gave no address to send them to") }
        let responses = client.sendAll(requests, RetryPolicy(.signedURL), parallel: Self.parallel)
        var sent: [String] = []
        for (name, response) in zip(asked, responses) {
            if response.isSuccess { sent.append(name) } else { fail([name], response.message) }
        }
        status.update {
            $0.uploaded += sent
            $0.filesSent += sent.count
            $0.progress += sent.count
        }
    }

    private func fail(_ names: [String], _ reason: String) {
        for name in names { sentDigests[name] = nil }
        if status.read(\.stop) { return }
        status.update { $0.filesFailed += names.count }
        notices.warn("cannot upload \(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? " …" : ""): \(reason)")
    }

    private func upload(_ record: WBArtifactRecord) {
        let uploader = ArtifactUploader(client: client, registration: registration, runID: runID)
        var failure: String?
        do {
            try uploader.upload(record)
        } catch {
            failure = "\(error)"
            if !status.read(\.stop) { notices.warn("cannot upload artifact \(record.name): \(error)") }
        }
        if status.read(\.stop) { return }
        status.update {
            $0.artifactsSent.append(ArtifactOutcome(clientID: record.clientID, name: record.name, error: failure))
            $0.progress += 1
        }
    }

    private func use(_ id: String) {
        do {
            _ = try client.graphQL(
                Queries.useArtifact,
                [
                    "entityName": .string(registration.entity), "projectName": .string(registration.project),
                    "runName": .string(runID), "artifactID": .string(id),
                ])
        } catch {
            notices.warn("cannot note the use of an artifact: \(error)")
        }
    }
}

extension ServerClient {
    /// A PUT to an address that the server gave, with the headers that it wants and no key.
    package func uploadRequest(
        _ url: String, headers: [String], path: String, offset: Int64 = 0, count: Int64? = nil
    ) -> HTTPRequest {
        let address = url.hasPrefix("/") ? self.url.base + url : url
        var request = HTTPRequest(.put, address)
        request.headers.append(("User-Agent", Client.userAgent))
        for header in headers {
            guard let mark = header.firstIndex(of: ":") else { continue }
            request.headers.append((String(header[..<mark]), header[header.index(after: mark)...].trimmed))
        }
        request.body = .file(path: path, offset: offset, count: count ?? (Files.size(path) ?? 0) - offset)
        request.timeout = settings.fileTransferTimeout
        return request
    }
}
