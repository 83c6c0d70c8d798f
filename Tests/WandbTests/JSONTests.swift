import Wandb
import XCTest

final class JSONTests: XCTestCase {
    func testRoundTrips() throws {
        let texts = [
            "null", "true", "[]", "{}", "-1", "9223372036854775807", "0.1", "1e-300", "NaN", "Infinity", "-Infinity",
            #""a\"\\\n\t\u0001""#, #"{"a":[1,2.5,{"b":null}],"c":"ü"}"#,
        ]
        for text in texts { XCTAssertEqual(JSONWriter.text(try JSONReader.value(text)), text) }
    }

    func testNumbers() throws {
        XCTAssertEqual(JSONWriter.text(.double(1)), "1")
        XCTAssertEqual(JSONWriter.text(.double(-0.0)), "-0.0")
        XCTAssertEqual(JSONWriter.text(.double(1_795_445_557.2572865)), "1795445557.2572865")
        XCTAssertEqual(JSONWriter.text(.int(.min)), "-9223372036854775808")
        XCTAssertEqual(try JSONReader.value("9223372036854775808"), .double(9.223372036854775808e18))
        XCTAssertEqual(try JSONReader.value("1.79e+09"), .double(1.79e9))
        XCTAssertEqual(try JSONReader.value(" [1 , 2 ] "), [1, 2])
        XCTAssertEqual(try JSONReader.value(#""\ud83d\ude00\u00fc""#), "😀ü")
    }

    func testBadTextIsAnErrorWithItsPlace() {
        for text in ["", "{", "[1,", "\"a", "{\"a\" 1}", "tru", "1 2", "[1}", "\"\\u12\"", "--1", "{1:2}"] {
            XCTAssertThrowsError(try JSONReader.value(text), text)
        }
        XCTAssertThrowsError(try JSONReader.value(String(repeating: "[", count: 100_000)))
    }

    func testMapsKeepOrderAndFindKeys() {
        var map = WandbMap()
        for i in 0..<50 { map["k\(i)"] = .int(Int64(i)) }
        for i in stride(from: 0, to: 50, by: 2) { map["k\(i)"] = nil }
        XCTAssertEqual(map.keys, stride(from: 1, to: 50, by: 2).map { "k\($0)" })
        for i in 0..<50 { XCTAssertEqual(map["k\(i)"], i % 2 == 0 ? nil : .int(Int64(i))) }
        for i in stride(from: 1, to: 41, by: 2) { map["k\(i)"] = nil }
        XCTAssertEqual(map["k41"], 41)
        XCTAssertNil(map["k1"])
        var nested: WandbMap = ["a": 1]
        nested[["b", "c"]] = 2
        nested[["a", "x"]] = 3
        XCTAssertEqual(nested, ["a": ["x": 3], "b": ["c": 2]])
        nested[["b", "zz", "y"]] = nil
        XCTAssertEqual(nested["b"], ["c": 2])
    }

    func testYAML() {
        let map: WandbMap = [
            "b": ["10": "0.31.0", "9": [1, ["x": 2]], "text": "true", "e": [:], "l": []], "a": .double(.nan), "/": "x: y",
            "n": nil,
        ]
        // As PyYAML reads it back: {'/': 'x: y', 'a': nan, 'b': {'9': [1, {'x': 2}], '10': '0.31.0', ...}, 'n': None}
        XCTAssertEqual(
            YAMLWriter.text(map),
            """
            /: "x: y"
            a: .nan
            b:
                "9":
                    - 1
                    - {"x":2}
                "10": 0.31.0
                e: {}
                l: []
                text: "true"
            "n": null

            """)
    }
}
