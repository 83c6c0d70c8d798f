#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// libpng's simplified interface: it reports failure by return codes and never jumps.
struct PNGLibrary: Sendable {
    private typealias Begin = @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Int32
    private typealias Finish = @convention(c) (
        UnsafeMutableRawPointer, UnsafeRawPointer?, UnsafeMutableRawPointer, Int32, UnsafeMutableRawPointer?
    ) -> Int32
    private typealias Free = @convention(c) (UnsafeMutableRawPointer) -> Void

    private let begin: Begin
    private let finish: Finish
    private let free: Free

    static let shared: PNGLibrary? = PNGLibrary()

    private init?() {
        guard let library = DynamicLibrary(["libpng16.so.16", "libpng16.16.dylib", "/opt/homebrew/lib/libpng16.dylib"]),
            let begin = library.function("png_image_begin_read_from_memory", Begin.self),
            let finish = library.function("png_image_finish_read", Finish.self),
            let free = library.function("png_image_free", Free.self)
        else { return nil }
        (self.begin, self.finish, self.free) = (begin, finish, free)
    }

    // `png_image`, whose layout is part of libpng's stable interface: pointer, seven 32-bit numbers
    // (version, width, height, format, flags, colours, warning or error), 64 bytes of message.
    private static let size = 104, widthOffset = 12, messageOffset = 36, formatOffset = 20
    private static let rgba: UInt32 = 3

    /// - Returns: the image as rows of red, green, blue, opacity.
    func decode(_ bytes: UnsafeRawBufferPointer) throws -> DecodedImage {
        guard let start = bytes.baseAddress else { throw TensorError("is empty") }
        let image = UnsafeMutableRawPointer.allocate(byteCount: PNGLibrary.size, alignment: 8)
        image.initializeMemory(as: UInt8.self, repeating: 0, count: PNGLibrary.size)
        defer {
            free(image)
            image.deallocate()
        }
        image.storeBytes(of: 1, toByteOffset: 8, as: UInt32.self)
        func failure() -> TensorError {
            let text = UnsafeRawBufferPointer(start: image + PNGLibrary.messageOffset, count: 64).prefix { $0 != 0 }
            return TensorError("\(ImageFault.png(bytes))is no sound PNG: \(String(decoding: text, as: UTF8.self))")
        }
        guard begin(image, start, bytes.count) != 0 else { throw failure() }
        let width = Int(image.load(fromByteOffset: PNGLibrary.widthOffset, as: UInt32.self))
        let height = Int(image.load(fromByteOffset: PNGLibrary.widthOffset + 4, as: UInt32.self))
        // Deflate makes at most 1,032 bytes of one; a byte holds eight pixels of one bit.
        var decoded = try DecodedImage(width: width, height: height, channels: 4, fileSize: bytes.count, pixelsPerByte: 8 * 1032)
        image.storeBytes(of: PNGLibrary.rgba, toByteOffset: PNGLibrary.formatOffset, as: UInt32.self)
        let done = decoded.pixels.withUnsafeMutableBytes { out in
            out.baseAddress.map { finish(image, nil, $0, Int32(width * 4), nil) } ?? 0
        }
        guard done != 0 else { throw failure() }
        return decoded
    }
}

/// libjpeg-turbo's own interface: it reports failure by return codes and never jumps.
struct JPEGLibrary: Sendable {
    private typealias Open = @convention(c) () -> OpaquePointer?
    private typealias Header = @convention(c) (
        OpaquePointer, UnsafeRawPointer, UInt, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>,
        UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Int32
    private typealias Decompress = @convention(c) (
        OpaquePointer, UnsafeRawPointer, UInt, UnsafeMutableRawPointer, Int32, Int32, Int32, Int32, Int32
    ) -> Int32
    private typealias Message = @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    private typealias Close = @convention(c) (OpaquePointer) -> Int32

    private let open: Open
    private let header: Header
    private let decompress: Decompress
    private let message: Message
    private let close: Close

    static let shared: JPEGLibrary? = JPEGLibrary()

    private init?() {
        guard let library = DynamicLibrary(["libturbojpeg.so.0", "libturbojpeg.0.dylib", "/opt/homebrew/lib/libturbojpeg.dylib"]),
            let open = library.function("tjInitDecompress", Open.self),
            let header = library.function("tjDecompressHeader3", Header.self),
            let decompress = library.function("tjDecompress2", Decompress.self),
            let message = library.function("tjGetErrorStr2", Message.self),
            let close = library.function("tjDestroy", Close.self)
        else { return nil }
        (self.open, self.header, self.decompress, self.message, self.close) = (open, header, decompress, message, close)
    }

    /// TJPF_RGB; TJFLAG_ACCURATEDCT: the same bits on every machine; TJFLAG_STOPONWARNING: a file that
    /// is cut off is an error, not a grey area.
    private static let rgb: Int32 = 0, flags: Int32 = 4096 | 8192

    func decode(_ bytes: UnsafeRawBufferPointer) throws -> DecodedImage {
        guard let start = bytes.baseAddress, let handle = open() else { throw TensorError("cannot be decoded: no memory") }
        defer { _ = close(handle) }
        func failure() -> TensorError {
            let reason = message(handle).map { String(cString: $0) } ?? "unknown reason"
            return TensorError("\(ImageFault.jpeg(bytes))is no sound JPEG: \(reason)")
        }
        var width: Int32 = 0, height: Int32 = 0, subsampling: Int32 = 0, space: Int32 = 0
        guard header(handle, start, UInt(bytes.count), &width, &height, &subsampling, &space) == 0 else { throw failure() }
        // A file that ends among its tables is taken for a set of tables.
        guard width > 0, height > 0 else { throw TensorError("\(ImageFault.jpeg(bytes))is no sound JPEG: it has no picture") }
        // A block of 32 by 32 pixels takes at least two bits.
        var decoded = try DecodedImage(width: Int(width), height: Int(height), channels: 3, fileSize: bytes.count, pixelsPerByte: 4096)
        let code = decoded.pixels.withUnsafeMutableBytes { out in
            out.baseAddress.map { decompress(handle, start, UInt(bytes.count), $0, width, 0, height, JPEGLibrary.rgb, JPEGLibrary.flags) } ?? -1
        }
        guard code == 0 else { throw failure() }
        return decoded
    }
}

/// Pixels as they come out of a file: rows of red, green, blue (and opacity).
struct DecodedImage: Sendable {
    let width: Int
    let height: Int
    let channels: Int
    var pixels: [UInt8]

    /// Pixels of the largest image that is taken to be one: 16,384 by 16,384.
    private static let limit = 1 << 28

    /// - Throws: `TensorError` when a file of that size cannot hold so many pixels, or memory cannot.
    init(width: Int, height: Int, channels: Int, fileSize: Int, pixelsPerByte: Int) throws {
        guard width > 0, height > 0, width <= DecodedImage.limit / height else {
            throw TensorError("is \(width) by \(height) pixels, which is no size for an image")
        }
        guard width * height / pixelsPerByte <= fileSize else {
            throw TensorError("byte 0: its header says \(width) by \(height) pixels, which \(fileSize) bytes cannot hold")
        }
        // An array that finds no memory ends the process: ask first.
        guard let room = malloc(width * height * channels) else {
            throw TensorError("cannot be held in memory: \(formatBytes(width * height * channels))", kind: .outOfMemory)
        }
        free(room)
        self.width = width
        self.height = height
        self.channels = channels
        pixels = [UInt8](repeating: 0, count: width * height * channels)
    }

    /// Reads a PNG or JPEG, whatever the file is called.
    static func read(_ path: String) throws -> DecodedImage {
        let bytes = try InputFile(path).contents()
        if bytes.buffer.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
            guard let library = PNGLibrary.shared else { throw TensorError("is a PNG, and libpng is not installed (Debian: libpng16-16)") }
            return try library.decode(bytes.buffer)
        }
        guard bytes.buffer.starts(with: [0xff, 0xd8]) else { throw TensorError("byte 0: is neither PNG nor JPEG") }
        guard let library = JPEGLibrary.shared else {
            throw TensorError("is a JPEG, and libjpeg-turbo is not installed (Debian: libturbojpeg0)")
        }
        return try library.decode(bytes.buffer)
    }

    /// Writes the image as planes of 1 (grey) or 3 channels.
    func write(planes: Int, to target: UnsafeMutablePointer<UInt8>) {
        let count = width * height
        pixels.withUnsafeBufferPointer { from in
            for i in 0..<count {
                let (r, g, b) = (from[i * channels], from[i * channels + 1], from[i * channels + 2])
                if planes == 3 {
                    target[i] = r
                    target[count + i] = g
                    target[2 * count + i] = b
                } else {
                    // ITU-R 601 luma in 16 bits, as Pillow computes it; exact for grey.
                    target[i] = UInt8(truncatingIfNeeded: (UInt32(r) * 19595 + UInt32(g) * 38470 + UInt32(b) * 7471 + 0x8000) >> 16)
                }
            }
        }
    }
}
