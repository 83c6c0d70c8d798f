#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A system library that is opened when it is first needed, so that the program runs without it.
package struct DynamicLibrary: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - names: the first that is there is taken.
    ///   - function: one that it must have, where libraries of the same name may lack what is needed.
    package init?(_ names: [String], with function: String? = nil) {
        for name in names {
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            if let function, dlsym(handle, function) == nil { continue }
            self.handle = handle
            return
        }
        return nil
    }

    /// A function of the library under the C type that the caller knows it to have.
    package func function<T>(_ name: String, _ type: T.Type) -> T? {
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
}
