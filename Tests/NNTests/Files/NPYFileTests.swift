import NN
import XCTest

final class NPYFileTests: XCTestCase {
    func testEveryTypeAsNumPyWroteIt() throws {
        for name in ["b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "big_endian"] {
            let t = try NPYFile.read(Fixture.golden("\(name).npy"))
            XCTAssertEqual(t.shape.array, [2, 3], name)
            let expected: [Double] =
                switch name {
                case "b1": [1, 0, 0, 1, 0, 0]
                case "u1", "u2", "u4", "u8": [0, 1, 2, 3, 4, 5]
                case "f8", "big_endian": (-2..<4).map { Double($0) / 3 }
                case "f4": (-2..<4).map { Double(Float($0) / 3) }
                case "f2": [-0.66650390625, -0.333251953125, 0, 0.333251953125, 0.66650390625, 1]
                default: [-2, -1, 0, 1, 2, 3]
                }
            XCTAssertEqual(try t.doubles(), expected, name)
        }
        XCTAssertEqual(try NPYFile.read(Fixture.golden("scalar.npy")).shape.array, [])
        XCTAssertEqual(try NPYFile.read(Fixture.golden("scalar.npy")).doubles(), [1.0 / 3])
        XCTAssertEqual(try NPYFile.read(Fixture.golden("empty.npy")).shape.array, [0, 5])
    }

    func testWritesTheBytesThatNumPyWrites() throws {
        let folder = try Fixture.folder(self)
        for name in ["b1", "u1", "i4", "i8", "f4", "f8", "scalar", "empty", "vector"] {
            try NPYFile.write(try NPYFile.read(Fixture.golden("\(name).npy")), to: "\(folder)/x")
            XCTAssertEqual(try Fixture.bytes("\(folder)/x"), try Fixture.bytes(Fixture.golden("\(name).npy")), name)
        }
    }

    func testCutAndChangedFiles() throws {
        let folder = try Fixture.folder(self)
        for name in ["f4.npy", "scalar.npy"] {
            try Fixture.checkPrefixes(of: Fixture.golden(name), in: folder) { _ = try NPYFile.read($0) }
            try Fixture.checkMutations(of: Fixture.golden(name), in: folder) { _ = try NPYFile.read($0) }
        }
        for name in ["stored.npz", "deflated.npz"] {
            try Fixture.checkPrefixes(of: Fixture.golden(name), in: folder) { _ = try NPZFile.read($0) }
            try Fixture.checkMutations(of: Fixture.golden(name), in: folder, upTo: 2000) { _ = try NPZFile.read($0) }
        }
    }

    private func npy(_ header: String, _ bytes: Int) -> [UInt8] {
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + [UInt8](repeating: 0, count: bytes)
    }

    func testBadHeaders() throws {
        let folder = try Fixture.folder(self)
        let path = "\(folder)/x.npy"
        for (header, bytes, expected) in [
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8, "elements of type '<c8' are not supported"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "expected a size or a plain type"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 4, "needs 8 bytes of elements, there are 4"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 8, "needs 4 bytes of elements, there are 8"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9)}", 4, "more elements than memory can address"),
            ("{'descr': '<f4', 'fortran_order': False}", 4, "no 'shape'"),
            ("{'descr': '<f4', 'descr': '<f4'}", 4, "'descr' appears twice"),
        ] {
            try Fixture.write(npy(header, bytes), path)
            let message = Fixture.failure { _ = try NPYFile.read(path) }
            XCTAssert(message.hasPrefix("\(path): byte ") && message.contains(expected), message)
        }
        try Fixture.write(npy("{'descr':'|u8','fortran_order':False,'shape':()}", 0) + [UInt8](repeating: 255, count: 8), path)
        XCTAssert(Fixture.failure { _ = try NPYFile.read(path) }.contains("element 0 of type u8 cannot be a int64"))
    }

    func testArchives() throws {
        let stored = try NPZFile.read(Fixture.golden("stored.npz"))
        XCTAssertEqual(stored.map(\.name), ["a", "b"])
        XCTAssertEqual(try stored[0].tensor.doubles(), (-2..<4).map { Double(Float($0) / 3) })
        XCTAssertEqual(try stored[1].tensor.integers(), [-2, -1, 0, 1])
        let deflated = try NPZFile.read(Fixture.golden("deflated.npz"))
        XCTAssertEqual(try deflated[0].tensor.doubles(), (-2..<598).map { Double(Float($0) / 3) })
        XCTAssertEqual(try deflated[1].tensor.integers(), Array(0..<100))
        let folder = try Fixture.folder(self)
        for compressed in [false, true] {
            try NPZFile.write(deflated.reversed(), compressed: compressed, to: "\(folder)/x.npz")
            let back = try NPZFile.read("\(folder)/x.npz")
            XCTAssertEqual(back.map(\.name), ["a", "b"])
            XCTAssertEqual(try back[0].tensor.doubles(), try deflated[0].tensor.doubles())
            let bytes = try Fixture.bytes("\(folder)/x.npz")
            XCTAssertEqual(bytes.count < 2000, compressed)
            try NPZFile.write(deflated, compressed: compressed, to: "\(folder)/y.npz")
            XCTAssertEqual(try Fixture.bytes("\(folder)/y.npz"), bytes)
        }
        try NPZFile.write([], to: "\(folder)/none.npz")
        XCTAssertEqual(try NPZFile.read("\(folder)/none.npz").count, 0)
    }

    func testCorruptEntry() throws {
        let folder = try Fixture.folder(self)
        var bytes = try Fixture.bytes(Fixture.golden("stored.npz"))
        let body = try XCTUnwrap(bytes.indices.first { bytes[$0...].starts(with: [0x93] + Array("NUMPY".utf8)) })
        bytes[body + 130] ^= 1
        try Fixture.write(bytes, "\(folder)/x.npz")
        let message = Fixture.failure { _ = try NPZFile.read("\(folder)/x.npz") }
        XCTAssert(message.contains("byte \(body): 'a.npy': its data is corrupt"), message)
    }
}
