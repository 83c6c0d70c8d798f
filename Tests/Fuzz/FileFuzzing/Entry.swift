#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What libFuzzer calls; the variable FUZZ_FORMAT says which format the bytes are taken for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let format = chosen else { return -1 }
    _ = format.refusal(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private let chosen: FileFormat? = getenv("FUZZ_FORMAT").flatMap { FileFormat(rawValue: String(cString: $0)) }
