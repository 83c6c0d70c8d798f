import Wandb

/// What the kernel says of itself.
enum KernelFacts {
    static let reply: WandbMap = [
        "status": .string("ok"), "protocol_version": .string(Message.version), "implementation": .string("host"),
        "implementation_version": .string(HostCommand.number), "banner": .string(HostCommand.version),
        "language_info": .map([
            "name": .string("lua"), "version": .string("5.4"), "mimetype": .string("text/x-lua"), "file_extension": .string(".lua"),
            "pygments_lexer": .string("lua"), "codemirror_mode": .string("lua"),
        ]),
        "help_links": .list([.map(["text": .string("Lua 5.4 reference"), "url": .string("https://www.lua.org/manual/5.4/")])]),
    ]

    /// `kernel.json`: how front ends start it.
    static func specification(program: String) -> WandbMap {
        [
            "argv": .list([.string(program), .string("jupyter"), .string("kernel"), .string("-f"), .string("{connection_file}")]),
            "display_name": .string("Lua (host)"), "language": .string("lua"), "interrupt_mode": .string("message"),
        ]
    }
}
