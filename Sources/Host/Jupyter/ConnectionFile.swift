import Wandb

/// Where a front end expects the kernel: the file that it writes before it starts one.
struct ConnectionFile {
    let key: [UInt8]
    private let transport: String
    private let address: String
    private let ports: [String: Int]

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(_ path: String) throws {
        let bytes = try Files.read(path)
        let value: WandbValue
        do { value = try Wandb.JSONReader.value(bytes) } catch { throw Failure(description: "\(path): no JSON: \(error)") }
        guard let fields = value.mapValue else { throw Failure(description: "\(path): expected an object") }
        let scheme = fields["signature_scheme"]?.stringValue ?? "hmac-sha256"
        guard scheme == "hmac-sha256" else { throw Failure(description: "\(path): signature_scheme is '\(scheme)', expected 'hmac-sha256'") }
        key = Array((fields["key"]?.stringValue ?? "").utf8)
        transport = fields["transport"]?.stringValue ?? "tcp"
        guard transport == "tcp" || transport == "ipc" else { throw Failure(description: "\(path): transport is '\(transport)', expected 'tcp' or 'ipc'") }
        address = fields["ip"]?.stringValue ?? "127.0.0.1"
        var ports: [String: Int] = [:]
        for name in ["shell", "control", "iopub", "stdin", "hb"] {
            guard let port = fields["\(name)_port"]?.intValue, (1...65535).contains(port) else {
                throw Failure(description: "\(path): \(name)_port must be a port number")
            }
            ports[name] = Int(port)
        }
        self.ports = ports
    }

    /// `tcp://127.0.0.1:5555`, `ipc:///tmp/kernel-1`
    func address(_ name: String) -> String {
        "\(transport)://\(address)\(transport == "tcp" ? ":" : "-")\(ports[name] ?? 0)"
    }
}
