import LuaBridge

/// Fetching from the web.
func registerHTTP(_ lua: Lua) throws {
    try lua.module("http", "http\nFetching from the web.") { m in
        try m.add(
            Declaration(
                """
                get(url: string, to: string = nil, *, sha256: string = nil, progress: bool|string = false, headers: table = nil, retries: int = 4, timeout: number = 60, md5: string = nil) -> string
                Fetches a file over HTTP. With `to` it is written there: first as `to`.part, which a later call goes on with, then renamed once it is whole.
                Args:
                  url: http or https; proxies are those of the environment
                  to: where to write it; nil gives the contents
                  sha256: what the contents must be, in hex; a file that is there already and is that is not fetched again
                  progress: shows a bar, under this name if it is a string
                  headers: name = value, sent along
                  retries: how often to try again after a broken connection, a timeout, or an answer 408, 429 or 5xx
                  md5: as sha256, for publishers who state only that
                  timeout: seconds without a byte after which a connection counts as broken
                Returns: `to`, or the contents
                Errors: an answer that is no success, a checksum that does not fit, a file that cannot be written
                Example:
                  -- needs the network
                  http.get("https://example.org/data.gz", "data.gz", {sha256 = string.rep("0", 64), progress = true})
                Source: RFC 9110; libcurl
                """
            ) { call in
                var request = Download.Request(url: try call.string(0))
                request.path = call.stringIfPresent(1)
                if let sum = call.stringIfPresent(2) {
                    guard sum.utf8.count == 64, sum.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                        throw call.error(2, "expected 64 hex digits, got '\(sum)'")
                    }
                    request.sha256 = sum.lowercased()
                }
                if let name = call.stringIfPresent(3) { request.progressName = name } else if try call.bool(3) { request.progressName = request.shownURL }
                if !call.isNil(4), case .map(let fields) = try call.value(4) {
                    for field in fields {
                        guard let name = field.key.asString, let value = field.value.asString, !name.contains(where: \.isNewline),
                            !value.contains(where: \.isNewline)
                        else { throw call.error(4, "expected name = text, on one line each") }
                        request.headers.append("\(name): \(value)")
                    }
                }
                request.retries = try call.int(5)
                guard request.retries >= 0 else { throw call.error(5, "expected 0 or more, got \(request.retries)") }
                let timeout = try call.number(6)
                guard timeout >= 1, timeout <= 86400 else { throw call.error(6, "expected 1 to 86400 seconds, got \(timeout)") }
                request.timeout = Int(timeout)
                if let sum = call.stringIfPresent(7) {
                    guard sum.utf8.count == 32, sum.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                        throw call.error(7, "expected 32 hex digits, got '\(sum)'")
                    }
                    request.md5 = sum.lowercased()
                }
                let download = Download(request, call.lua)
                if let path = request.path {
                    try download.toFile(path)
                    try call.push(path)
                } else {
                    try call.push(bytes: try download.toMemory())
                }
            })
    }
}
