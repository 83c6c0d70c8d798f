import XCTest

import NN

/// Texts as PyTorch 2 prints them (Lua's words for booleans, plain dtype names).
final class PrintTests: XCTestCase {
    private func check(_ values: [Float], _ shape: [Int], _ expected: String) throws {
        XCTAssertEqual(try Tensor.from(values, Shape(shape)).description, expected)
    }

    func testFloats() throws {
        try check([1, 2, 3], [3], "tensor([1., 2., 3.])")
        try check([1.5, -2, 3], [3], "tensor([ 1.5000, -2.0000,  3.0000])")
        try check([0.00001, 1], [2], "tensor([1.0000e-05, 1.0000e+00])")
        try check([100000, 1], [2], "tensor([1.0000e+05, 1.0000e+00])")
        try check([.nan, 1, .infinity], [3], "tensor([nan, 1., inf])")
        try check([1, 2, 3, 4], [2, 2], "tensor([[1., 2.],\n        [3., 4.]])")
        try check([5], [], "tensor(5.)")
        try check([], [0], "tensor([])")
        try check([], [2, 0], "tensor([], size=(2, 0))")
    }

    func testBlocksAreSeparatedByBlankLines() throws {
        try check(
            [1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2],
            "tensor([[[1., 2.],\n         [3., 4.]],\n\n        [[5., 6.],\n         [7., 8.]]])")
    }

    func testLargeTensorsShowTheirEdges() throws {
        let t = try Tensor.arange(.int(0), .int(2000), .int(1), .int64)
        XCTAssertEqual(t.description, "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])")
    }

    func testLongLinesAreBroken() throws {
        let t = try Tensor.arange(.int(100), .int(130), .int(1), .int64)
        XCTAssertEqual(
            t.description,
            "tensor([100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113,\n"
                + "        114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127,\n        128, 129])")
    }

    func testOtherDtypesAreNamed() throws {
        XCTAssertEqual(try Tensor.ones(try Shape([2]), .float64).description, "tensor([1., 1.], dtype=float64)")
        XCTAssertEqual(try Tensor.ones(try Shape([2]), .int64).description, "tensor([1, 1])")
        XCTAssertEqual(try Tensor.ones(try Shape([2]), .uint8).description, "tensor([1, 1], dtype=uint8)")
        XCTAssertEqual(try Tensor.ones(try Shape([2]), .bool).description, "tensor([true, true])")
    }

    func testGradients() throws {
        let x = try Tensor.ones(try Shape([1]))
        try x.setRequiresGrad(true)
        XCTAssertEqual(x.description, "tensor([1.], requires_grad=true)")
        XCTAssertEqual(try (x * x).description, "tensor([1.], grad_fn=<mul>)")
    }
}
