import JSONText
import NN
import XCTest

final class CheckpointTests: XCTestCase {
    func testEveryValueComesBackToTheBit() throws {
        let folder = try Fixture.folder(self)
        let path = "\(folder)/c.safetensors"
        func text(_ s: String) -> PlainValue { .bytes(Array(s.utf8)) }
        let numbers: [PlainValue] = [
            .int(0), .int(.max), .int(.min), .int(1 << 53 + 1), .double(0), .double(-0.0), .double(1), .double(0.1),
            .double(.leastNonzeroMagnitude), .double(.greatestFiniteMagnitude), .double(1e300), .double(-1.5e-7),
            .double(.infinity), .double(-.infinity), .double(.nan), .double(123456789012345680),
        ]
        let values = PlainValue.table([
            (text("epoch"), .int(3)), (text("lr"), .double(1e-3)), (text("done"), .bool(false)),
            (text("numbers"), .list(numbers)), (text("none"), .list([])),
            (text("text"), text("quo\"te \\ \n \u{0} é 日本")), (text("nothing"), .null), (text("w"), .tensor("model.w")), (text("raw"), .bytes([0xff, 0xfe, 0x00])),
            (text("$odd"), .table([(.int(5), .bool(true)), (.double(0.5), .int(1)), (.bool(true), text("x"))])),
            (text("keys"), .table([(.bytes([0xff]), .int(1)), (text("$number"), text("nan"))])),
        ])
        let tensor = try Tensor.from([1.5, -2], try Shape([2]))
        let generator = Generator.State(seed: .max, offset: 1 << 63)
        try Checkpoint.save([("model.w", tensor)], values: values, generator: generator, to: path)
        let back = try Checkpoint.load(path)
        XCTAssertEqual(back.values, values)
        XCTAssertEqual(back.generator, generator)
        XCTAssertEqual(back.tensors.map(\.name), ["model.w"])
        XCTAssertEqual(try back.tensors[0].tensor.doubles(), [1.5, -2])
        // The same state gives the same bytes.
        let bytes = try Fixture.bytes(path)
        try Checkpoint.save([("model.w", tensor)], values: values, generator: generator, to: path)
        XCTAssertEqual(try Fixture.bytes(path), bytes)
    }

    func testOtherFilesAreNoCheckpoints() throws {
        let folder = try Fixture.folder(self)
        let message = Fixture.failure { _ = try Checkpoint.load(Fixture.golden("own.safetensors")) }
        XCTAssert(message.contains("is a safetensors file, but no checkpoint"), message)
        let path = "\(folder)/c"
        for values in ["{\"$what\":1}", "[1,", "{\"$bytes\":\"0\"}", "{\"$table\":[[1]]}"] {
            try Safetensors.save(
                [], metadata: [("format", "host-checkpoint-1"), ("values", values), ("generator", "1 2")], to: path)
            XCTAssert(Fixture.failure { _ = try Checkpoint.load(path) }.hasPrefix("\(path): the checkpoint's values: "))
        }
        try Safetensors.save([], metadata: [("format", "host-checkpoint-1"), ("values", "[]"), ("generator", "1")], to: path)
        XCTAssert(Fixture.failure { _ = try Checkpoint.load(path) }.contains("is not two numbers"))
    }

    func testJSON() throws {
        for text in ["", "nul", "01", "1.", "1e", "-", "\"a", "\"\\x\"", "\"\\ud800\"", "{\"a\":1,}", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "1e999"] {
            XCTAssert(Fixture.failure { _ = try JSON.decode(text) }.hasPrefix("byte "), text)
        }
        XCTAssertEqual(try JSON.decode(" [1, 1.0, -2e3, \"\\ud83d\\ude00\\u00e9\", true, null] ").encoded(), "[1,1.0,-2000.0,\"😀é\",true,null]")
        XCTAssertEqual(try JSON.decode("123456789012345678901234567890").encoded(), "1.2345678901234568e+29")
    }
}
