import KernelABI

// y[i] = (Y)x[i]. Float to integer truncates and saturates, NaN gives 0; anything to bool is != 0.

@inline(__always)
func convert<X, Y>(
    _: X.Type, _: Y.Type, _ n: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (X) -> Y
) {
    let x = x.assumingMemoryBound(to: X.self)
    let y = y.assumingMemoryBound(to: Y.self)
    for i in 0..<n { y[i] = f(x[i]) }
}

// The bounds are exact in double: the first value past the greatest integer, and the least integer.
@inline(__always)
func toInt64(_ x: Double) -> Int64 { x >= 0x1p63 ? .max : (x > -0x1p63 ? Int64(x) : (x == x ? .min : 0)) }
@inline(__always)
func toInt32(_ x: Double) -> Int32 { x >= 0x1p31 ? .max : (x > -0x1p31 ? Int32(x) : (x == x ? .min : 0)) }
@inline(__always)
func toUInt8(_ x: Double) -> UInt8 { x >= 256 ? .max : (x > 0 ? UInt8(x) : 0) }

func convertFromF32(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(Float.self, Float.self, n, x, y) { $0 } }
    case KERNEL_F64: { n, x, y in convert(Float.self, Double.self, n, x, y) { Double($0) } }
    case KERNEL_I64: { n, x, y in convert(Float.self, Int64.self, n, x, y) { toInt64(Double($0)) } }
    case KERNEL_I32: { n, x, y in convert(Float.self, Int32.self, n, x, y) { toInt32(Double($0)) } }
    case KERNEL_U8: { n, x, y in convert(Float.self, UInt8.self, n, x, y) { toUInt8(Double($0)) } }
    case KERNEL_BOOL: { n, x, y in convert(Float.self, UInt8.self, n, x, y) { $0 != 0 ? 1 : 0 } }
    default: nil
    }
}

func convertFromF64(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(Double.self, Float.self, n, x, y) { Float($0) } }
    case KERNEL_F64: { n, x, y in convert(Double.self, Double.self, n, x, y) { $0 } }
    case KERNEL_I64: { n, x, y in convert(Double.self, Int64.self, n, x, y) { toInt64($0) } }
    case KERNEL_I32: { n, x, y in convert(Double.self, Int32.self, n, x, y) { toInt32($0) } }
    case KERNEL_U8: { n, x, y in convert(Double.self, UInt8.self, n, x, y) { toUInt8($0) } }
    case KERNEL_BOOL: { n, x, y in convert(Double.self, UInt8.self, n, x, y) { $0 != 0 ? 1 : 0 } }
    default: nil
    }
}

func convertFromI64(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(Int64.self, Float.self, n, x, y) { Float($0) } }
    case KERNEL_F64: { n, x, y in convert(Int64.self, Double.self, n, x, y) { Double($0) } }
    case KERNEL_I64: { n, x, y in convert(Int64.self, Int64.self, n, x, y) { $0 } }
    case KERNEL_I32: { n, x, y in convert(Int64.self, Int32.self, n, x, y) { Int32(truncatingIfNeeded: $0) } }
    case KERNEL_U8: { n, x, y in convert(Int64.self, UInt8.self, n, x, y) { UInt8(truncatingIfNeeded: $0) } }
    case KERNEL_BOOL: { n, x, y in convert(Int64.self, UInt8.self, n, x, y) { $0 != 0 ? 1 : 0 } }
    default: nil
    }
}

func convertFromI32(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(Int32.self, Float.self, n, x, y) { Float($0) } }
    case KERNEL_F64: { n, x, y in convert(Int32.self, Double.self, n, x, y) { Double($0) } }
    case KERNEL_I64: { n, x, y in convert(Int32.self, Int64.self, n, x, y) { Int64(truncatingIfNeeded: $0) } }
    case KERNEL_I32: { n, x, y in convert(Int32.self, Int32.self, n, x, y) { $0 } }
    case KERNEL_U8: { n, x, y in convert(Int32.self, UInt8.self, n, x, y) { UInt8(truncatingIfNeeded: $0) } }
    case KERNEL_BOOL: { n, x, y in convert(Int32.self, UInt8.self, n, x, y) { $0 != 0 ? 1 : 0 } }
    default: nil
    }
}

func convertFromU8(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(UInt8.self, Float.self, n, x, y) { Float($0) } }
    case KERNEL_F64: { n, x, y in convert(UInt8.self, Double.self, n, x, y) { Double($0) } }
    case KERNEL_I64: { n, x, y in convert(UInt8.self, Int64.self, n, x, y) { Int64(truncatingIfNeeded: $0) } }
    case KERNEL_I32: { n, x, y in convert(UInt8.self, Int32.self, n, x, y) { Int32(truncatingIfNeeded: $0) } }
    case KERNEL_U8: { n, x, y in convert(UInt8.self, UInt8.self, n, x, y) { $0 } }
    case KERNEL_BOOL: { n, x, y in convert(UInt8.self, UInt8.self, n, x, y) { $0 != 0 ? 1 : 0 } }
    default: nil
    }
}

func convertFromBOOL(_ to: Int) -> kernel_convert? {
    switch to {
    case KERNEL_F32: { n, x, y in convert(UInt8.self, Float.self, n, x, y) { Float($0) } }
    case KERNEL_F64: { n, x, y in convert(UInt8.self, Double.self, n, x, y) { Double($0) } }
    case KERNEL_I64: { n, x, y in convert(UInt8.self, Int64.self, n, x, y) { Int64(truncatingIfNeeded: $0) } }
    case KERNEL_I32: { n, x, y in convert(UInt8.self, Int32.self, n, x, y) { Int32(truncatingIfNeeded: $0) } }
    case KERNEL_U8: { n, x, y in convert(UInt8.self, UInt8.self, n, x, y) { $0 } }
    case KERNEL_BOOL: { n, x, y in convert(UInt8.self, UInt8.self, n, x, y) { $0 } }
    default: nil
    }
}
