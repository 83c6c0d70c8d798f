#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import NN

/// The functions of libcairo that figures need; opened when the first PNG is made.
struct CairoLibrary: @unchecked Sendable {
    typealias Context = OpaquePointer
    typealias Write = @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, UInt32) -> Int32

    let surfaceCreate: @convention(c) (Int32, Int32, Int32) -> OpaquePointer?
    let surfaceForData: @convention(c) (UnsafeMutablePointer<UInt8>, Int32, Int32, Int32, Int32) -> OpaquePointer?
    let surfaceStatus: @convention(c) (OpaquePointer) -> Int32
    let surfaceDestroy: @convention(c) (OpaquePointer) -> Void
    let surfaceFlush: @convention(c) (OpaquePointer) -> Void
    let surfaceData: @convention(c) (OpaquePointer) -> UnsafeMutablePointer<UInt8>?
    let surfaceStride: @convention(c) (OpaquePointer) -> Int32
    let writePNG: @convention(c) (OpaquePointer, Write, UnsafeMutableRawPointer?) -> Int32
    let create: @convention(c) (OpaquePointer) -> Context?
    let destroy: @convention(c) (Context) -> Void
    let setColor: @convention(c) (Context, Double, Double, Double, Double) -> Void
    let setSurface: @convention(c) (Context, OpaquePointer, Double, Double) -> Void
    let source: @convention(c) (Context) -> OpaquePointer?
    let setFilter: @convention(c) (OpaquePointer, Int32) -> Void
    let rectangle: @convention(c) (Context, Double, Double, Double, Double) -> Void
    let moveTo: @convention(c) (Context, Double, Double) -> Void
    let lineTo: @convention(c) (Context, Double, Double) -> Void
    let arc: @convention(c) (Context, Double, Double, Double, Double, Double) -> Void
    let fill: @convention(c) (Context) -> Void
    let stroke: @convention(c) (Context) -> Void
    let paint: @convention(c) (Context) -> Void
    let clip: @convention(c) (Context) -> Void
    let setLineWidth: @convention(c) (Context, Double) -> Void
    let setLineJoin: @convention(c) (Context, Int32) -> Void
    let save: @convention(c) (Context) -> Void
    let restore: @convention(c) (Context) -> Void
    let translate: @convention(c) (Context, Double, Double) -> Void
    let scale: @convention(c) (Context, Double, Double) -> Void
    let rotate: @convention(c) (Context, Double) -> Void
    let selectFont: @convention(c) (Context, UnsafePointer<CChar>, Int32, Int32) -> Void
    let setFontSize: @convention(c) (Context, Double) -> Void
    let showText: @convention(c) (Context, UnsafePointer<CChar>) -> Void
    /// `cairo_text_extents_t`: six doubles; the last but one is the advance.
    let textExtents: @convention(c) (Context, UnsafePointer<CChar>, UnsafeMutablePointer<Double>) -> Void

    static let shared: CairoLibrary? = CairoLibrary()

    private init?() {
        guard let library = DynamicLibrary(["libcairo.so.2", "libcairo.2.dylib", "/opt/homebrew/lib/libcairo.2.dylib"]) else { return nil }
        func find<T>(_ name: String) throws -> T {
            guard let function = library.function("cairo_" + name, T.self) else { throw LuaError("libcairo lacks cairo_\(name)") }
            return function
        }
        do {
            surfaceCreate = try find("image_surface_create")
            surfaceForData = try find("image_surface_create_for_data")
            surfaceStatus = try find("surface_status")
            surfaceDestroy = try find("surface_destroy")
            surfaceFlush = try find("surface_flush")
            surfaceData = try find("image_surface_get_data")
            surfaceStride = try find("image_surface_get_stride")
            writePNG = try find("surface_write_to_png_stream")
            create = try find("create")
            destroy = try find("destroy")
            setColor = try find("set_source_rgba")
            setSurface = try find("set_source_surface")
            source = try find("get_source")
            setFilter = try find("pattern_set_filter")
            rectangle = try find("rectangle")
            moveTo = try find("move_to")
            lineTo = try find("line_to")
            arc = try find("arc")
            fill = try find("fill")
            stroke = try find("stroke")
            paint = try find("paint")
            clip = try find("clip")
            setLineWidth = try find("set_line_width")
            setLineJoin = try find("set_line_join")
            save = try find("save")
            restore = try find("restore")
            translate = try find("translate")
            scale = try find("scale")
            rotate = try find("rotate")
            selectFont = try find("select_font_face")
            setFontSize = try find("set_font_size")
            showText = try find("show_text")
            textExtents = try find("text_extents")
        } catch { return nil }
    }

    /// CAIRO_FORMAT_RGB24: four bytes to a pixel, blue first on the machines that we run on.
    static let rgb24: Int32 = 1
}

/// Draws into memory through libcairo.
final class CairoCanvas: Canvas {
    private let cairo: CairoLibrary
    private let surface: OpaquePointer
    private let context: CairoLibrary.Context
    private let width, height: Int

    init(width: Int, height: Int) throws {
        guard let cairo = CairoLibrary.shared else {
            throw LuaError("drawing a figure as PNG needs libcairo, which is not installed (Debian: libcairo2); \"x.svg\" works without it")
        }
        guard let surface = cairo.surfaceCreate(CairoLibrary.rgb24, Int32(width), Int32(height)) else { throw LuaError("no memory for a picture") }
        guard cairo.surfaceStatus(surface) == 0, let context = cairo.create(surface) else {
            cairo.surfaceDestroy(surface)
            throw LuaError("no memory for a picture of \(width) by \(height) pixels")
        }
        (self.cairo, self.surface, self.context, self.width, self.height) = (cairo, surface, context, width, height)
        cairo.setLineJoin(context, 1)
    }

    deinit {
        cairo.destroy(context)
        cairo.surfaceDestroy(surface)
    }

    private func use(_ color: Color, _ opacity: Double = 1) {
        cairo.setColor(context, Double(color.red) / 255, Double(color.green) / 255, Double(color.blue) / 255, opacity)
    }

    func fill(_ box: Box, _ color: Color, opacity: Double) {
        use(color, opacity)
        cairo.rectangle(context, box.x, box.y, max(box.width, 0), max(box.height, 0))
        cairo.fill(context)
    }

    func stroke(_ points: [Point], _ color: Color, width: Double) {
        guard let first = points.first, points.count > 1 else { return }
        use(color)
        cairo.setLineWidth(context, width)
        cairo.moveTo(context, first.x, first.y)
        for point in points.dropFirst() { cairo.lineTo(context, point.x, point.y) }
        cairo.stroke(context)
    }

    func dot(_ center: Point, radius: Double, _ color: Color) {
        use(color)
        cairo.arc(context, center.x, center.y, radius, 0, 2 * .pi)
        cairo.fill(context)
    }

    func text(_ text: String, _ at: Point, _ style: TextStyle) {
        // A zero byte would end the text for C.
        let text = text.replacing("\0", with: " ")
        use(style.color)
        cairo.selectFont(context, "DejaVu Sans", 0, style.isBold ? 1 : 0)
        cairo.setFontSize(context, style.size)
        var extents = [Double](repeating: 0, count: 6)
        cairo.textExtents(context, text, &extents)
        let shift = switch style.anchor { case .start: 0.0; case .middle: extents[4] / 2; case .end: extents[4] }
        cairo.save(context)
        cairo.translate(context, at.x, at.y)
        if style.isUpright { cairo.rotate(context, -.pi / 2) }
        cairo.moveTo(context, -shift, 0)
        cairo.showText(context, text)
        cairo.restore(context)
    }

    func image(_ pixels: Pixels, _ box: Box) throws {
        guard pixels.width > 0, pixels.height > 0 else { return }
        var words = [UInt8](repeating: 0, count: pixels.width * pixels.height * 4)
        for y in 0..<pixels.height {
            for x in 0..<pixels.width {
                let color = pixels.color(x, y), at = (y * pixels.width + x) * 4
                (words[at], words[at + 1], words[at + 2]) = (color.blue, color.green, color.red)
            }
        }
        let drawn = words.withUnsafeMutableBufferPointer { buffer -> Bool in
            guard let start = buffer.baseAddress,
                let picture = cairo.surfaceForData(start, CairoLibrary.rgb24, Int32(pixels.width), Int32(pixels.height), Int32(pixels.width * 4))
            else { return false }
            cairo.save(context)
            cairo.translate(context, box.x, box.y)
            cairo.scale(context, box.width / Double(pixels.width), box.height / Double(pixels.height))
            cairo.setSurface(context, picture, 0, 0)
            if let source = cairo.source(context) { cairo.setFilter(source, 3) }  // CAIRO_FILTER_NEAREST
            cairo.paint(context)
            cairo.restore(context)
            cairo.surfaceFlush(surface)
            cairo.surfaceDestroy(picture)
            return true
        }
        guard drawn else { throw LuaError("no memory for a picture") }
    }

    func clip(_ box: Box) {
        cairo.save(context)
        cairo.rectangle(context, box.x, box.y, box.width, box.height)
        cairo.clip(context)
    }

    func unclip() { cairo.restore(context) }

    private final class Sink { var bytes: [UInt8] = [] }

    func png() throws -> [UInt8] {
        let sink = Sink()
        let status = cairo.writePNG(
            surface,
            { sink, bytes, count in
                guard let sink, let bytes else { return 11 }  // CAIRO_STATUS_WRITE_ERROR
                Unmanaged<Sink>.fromOpaque(sink)._withUnsafeGuaranteedRef {
                    $0.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
                }
                return 0
            }, Unmanaged.passUnretained(sink).toOpaque())
        guard status == 0 else { throw LuaError("libcairo could not make the PNG (status \(status))") }
        return sink.bytes
    }

    /// What was drawn, as pixels.
    func pixels() -> Pixels {
        cairo.surfaceFlush(surface)
        var out = Pixels(width: width, height: height, fill: .white)
        guard let data = cairo.surfaceData(surface) else { return out }
        let stride = Int(cairo.surfaceStride(surface))
        for y in 0..<height {
            for x in 0..<width {
                let from = data + y * stride + x * 4, to = (y * width + x) * 3
                (out.bytes[to], out.bytes[to + 1], out.bytes[to + 2]) = (from[2], from[1], from[0])
            }
        }
        return out
    }
}
