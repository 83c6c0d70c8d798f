import Foundation
import NN
import XCTest

final class CSVFileTests: XCTestCase {
    private func read(_ text: String, _ change: (inout CSVFile.Options) -> Void = { _ in }) throws -> CSVFile.Table {
        let path = "\(try Fixture.folder(self))/t.csv"
        try Fixture.write(Array(text.utf8), path)
        var options = CSVFile.Options()
        change(&options)
        return try CSVFile.read(path, options)
    }

    private func numbers(_ column: CSVFile.Column) throws -> (DType, [Double]) {
        guard case .numbers(let tensor) = column else { throw TensorError("not numbers") }
        return (tensor.dtype, try tensor.doubles())
    }

    private func texts(_ column: CSVFile.Column) -> [String] { if case .texts(let texts) = column { texts } else { [] } }

    func testTypes() throws {
        let table = try read("\u{feff}id, x,name,big,gap,late\r\n1,0.5,\"a,\"\"b\"\"\nc\",9007199254740993,,\r\n-2,1e3,é,-1,3, 7 \n\n3,-inf,,0,NA,8")
        XCTAssertEqual(table.names, ["id", " x", "name", "big", "gap", "late"])
        let id = try numbers(table.columns[0]), x = try numbers(table.columns[1])
        XCTAssertEqual(id.0, .int64)
        XCTAssertEqual(id.1, [1, -2, 3])
        XCTAssertEqual(x.0, .float32)
        XCTAssertEqual(x.1, [0.5, 1000, -.infinity])
        XCTAssertEqual(texts(table.columns[2]), ["a,\"\"b\"\"\nc".replacingOccurrences(of: "\"\"", with: "\""), "é", ""])
        if case .numbers(let big) = table.columns[3] { XCTAssertEqual(try big.integers()[0], 9_007_199_254_740_993) } else { XCTFail() }
        let gap = try numbers(table.columns[4]).1, late = try numbers(table.columns[5]).1
        XCTAssert(gap[0].isNaN && gap[1] == 3 && gap[2].isNaN)
        XCTAssert(late[0].isNaN && late[1] == 7 && late[2] == 8)
        let plain = try read("1;2\n3;4.5\n") { $0.hasHeader = false; $0.separator = 59; $0.floatType = .float64; $0.kinds = ["1": .string] }
        XCTAssertEqual(texts(plain.columns[0]), ["1", "3"])
        XCTAssertEqual(try numbers(plain.columns[1]).0, .float64)
        XCTAssertEqual(try read("").columns.count, 0)
        XCTAssertEqual(texts(try read("a\n0x10\n").columns[0]), ["0x10"])
    }

    func testTrueAndFalse() throws {
        let table = try read("a,b,c,d\ntrue,True,true,\nfalse, FALSE ,maybe,true\n")
        for i in 0...1 {
            XCTAssertEqual(try numbers(table.columns[i]).0, .bool)
            XCTAssertEqual(try numbers(table.columns[i]).1, [1, 0])
        }
        XCTAssertEqual(texts(table.columns[2]), ["true", "maybe"])
        XCTAssertEqual(texts(table.columns[3]), ["", "true"])
        XCTAssertEqual(texts(try read("a\ntrue\n") { $0.kinds = ["a": .string] }.columns[0]), ["true"])
        XCTAssertEqual(try numbers(try read("a\n") { $0.kinds = ["a": .bool] }.columns[0]).0, .bool)
        let message = Fixture.failure { _ = try read("a\ntrue\nyes\n") { $0.kinds = ["a": .bool] } }
        XCTAssert(message.contains("line 3: column 'a': expected true or false, got 'yes'"), message)
    }

    func testBadRowsAreNamed() throws {
        let text = "a,b\n1,2\n3\n4,x\n5,6,7\n\"8\n\",9\n10,11\n"
        let message = Fixture.failure { _ = try read(text) }
        XCTAssert(message.contains(": 4 bad rows:\n  line 3: expected 2 fields, got 1\n  line 4: column 'b': expected a number, got 'x'\n  line 5: expected 2 fields, got 3\n  line 6:"), message)
        let table = try read(text) { $0.skipsBadRows = true }
        XCTAssertEqual(try numbers(table.columns[1]).1.last, 11)
        XCTAssert(table.problems[0] == "line 3: expected 2 fields, got 1")
        XCTAssert(Fixture.failure { _ = try read("a\n\"x") }.contains("line 2: a field that begins with a quote has no closing one"))
        XCTAssert(Fixture.failure { _ = try read("a\n\"x\"y") }.contains("line 2: text after the closing quote"))
        XCTAssert(Fixture.failure { _ = try read("a,a\n") }.contains("two columns are called 'a'"))
        XCTAssert(Fixture.failure { _ = try read("a\n1") { $0.kinds = ["b": .string] } }.contains("there is no column 'b'"))
    }
}
