/// Requests of the file stream.
extension RunSender {
    func post(exitCode: Int32? = nil) {
        guard let registration else { return }
        let pause = earliestPost - Clock.monotonic()
        if pause > 0, status.wait(pause, until: { $0.stop }) { return }
        if summaryIsDirty {
            stream.setSummary(JSONWriter.bytes(.map(summary)))
            summaryIsDirty = false
        }
        let piece = stream.takeRequest(exitCode: exitCode)
        let path = [registration.entity, registration.project, directory.runID].map(ServerURL.encoded).joined(separator: "/")
        var request = client.request(.post, "\(client.url.base)/files/\(path)/file_stream")
        request.headers.append(("Content-Type", "application/json"))
        if let clientID {
            request.headers.append(("X-WANDB-USE-ASYNC-FILESTREAM", "true"))
            request.headers.append(("X-WANDB-ASYNC-CLIENT-ID", clientID))
        }
        if serverTakesGzip, settings.compressesFileStream, let small = Gzip.compress(piece.body) {
            request.headers.append(("Content-Encoding", "gzip"))
            request.body = .bytes(small)
        } else {
            request.body = .bytes(piece.body)
        }
        request.timeout = settings.fileStreamTimeout
        status.update { $0.rowsWaiting = piece.rows }
        client.onRetry = { [notices] response, _ in
            notices.warnOnce("stream", "the server does not take the run's data (\(response.message)); trying again")
        }
        let policy = RetryPolicy(.fileStream, mostRetries: settings.fileStreamRetries)
        var response = client.send(request, policy)
        // Something between us and the server may have answered in its place and kept nothing. Lines at the same
        // offset are the same lines: sending them again is safe.
        var attempt = 0
        while response.isSuccess, !response.body.isEmpty, response.json?.mapValue == nil, attempt < 8,
            !status.read(\.stop)
        {
            status.wait(policy.wait(attempt: attempt, response: response) * settings.retryScale) { $0.stop }
            response = client.send(request, policy)
            attempt += 1
        }
        firstPostDone = true
        postedAt = Clock.monotonic()
        if response.isSuccess {
            status.update {
                $0.rowsSent += piece.rows
                $0.rowsWaiting = 0
                $0.progress += 1
            }
            if response.json?["stopped"] == true, !status.read(\.stopRequested) {
                status.update { $0.stopRequested = true }
                onStop()
            }
            respectRateLimit(response)
        } else if !status.read(\.stop) {
            streamIsDead = true
            stream.close()
            let error = client.error(for: response, doing: "the run's data")
            notices.warn("\(error); the run goes on offline, upload it with: host sync \(directory.path)")
        }
    }

    /// Spreads what the server still allows over the time until it allows more.
    func respectRateLimit(_ response: HTTPResponse) {
        guard let remaining = response.header("ratelimit-remaining").flatMap({ Double($0) }),
            let reset = response.header("ratelimit-reset").flatMap({ Double($0) }), remaining.isFinite, reset.isFinite
        else { return }
        let spacing = min(300, max(0, reset) / max(1, remaining))
        earliestPost = Clock.monotonic() + spacing
        postInterval = max(settings.fileStreamInterval, spacing)
    }

    func fileConsole(isFinal: Bool) {
        let lines = stream.console.takeForFile(isFinal: isFinal)
        guard !lines.isEmpty else { return }
        if outputFile == nil {
            outputFile = try? OpenFile("\(directory.files)/output.log", outputFlags, action: "write")
        }
        guard let outputFile else { return }
        _ = Files.writeAll(Array((lines.joined(separator: "\n") + "\n").utf8), to: outputFile.descriptor)
    }
}
