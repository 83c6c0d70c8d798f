import NN
import XCTest

final class TransformTests: XCTestCase {
    private func golden(_ name: String) throws -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: try Safetensors.load(Fixture.golden(name)).tensors.map { ($0.name, $0.tensor) })
    }

    func testAffineMapsAsGridSampleDoes() throws {
        let t = try golden("affine.safetensors")
        let image = try XCTUnwrap(t["image"])
        for (name, map) in [
            ("turn", Affine(angle: 30)), ("move", Affine(translate: (2, -1))), ("grow", Affine(scale: 1.7)), ("shear", Affine(shear: (20, -10))),
            ("all", Affine(angle: -75, translate: (1, 2), scale: 0.6, shear: (15, 5))),
        ] {
            for mode in Interpolation.allCases {
                let ours = try map.applied(to: image, mode, fill: -0.5).doubles()
                let expected = try XCTUnwrap(t["\(name).\(mode.rawValue)"]).doubles()
                for (a, b) in zip(ours, expected) { XCTAssertEqual(a, b, accuracy: 2e-6, "\(name) \(mode)") }
            }
        }
    }

    func testScalingAsInterpolateDoes() throws {
        let t = try golden("scaled.safetensors")
        let pixels = try XCTUnwrap(t["pixels"])
        for (h, w) in [(5, 6), (18, 26), (9, 4)] {
            let ours = try ImageScaling.scaled(pixels, h, w).integers(), expected = try XCTUnwrap(t["\(h)x\(w)"]).integers()
            // A half that is not quite one may round the other way.
            for (a, b) in zip(ours, expected) { XCTAssertLessThanOrEqual(abs(a - b), 1) }
            XCTAssertGreaterThan(zip(ours, expected).count { $0 == $1 }, ours.count * 9 / 10)
        }
    }

    private func ramp() throws -> Tensor { try Tensor.from((0..<60).map { Float($0) }, try Shape([3, 4, 5])) }

    func testShiftsAreWholePixels() throws {
        let shift = try RandomShift(x: 1, y: 2)
        var seen = Set<[Double]>()
        for sample in 0..<300 {
            let out = try shift.applied(to: ramp(), background: -7, passSeed: 1, sample: sample).doubles()
            seen.insert(out)
            // Each value stands in its own plane, or is the background.
            for (i, v) in out.enumerated() where v != -7 { XCTAssertEqual(Int(v) / 20, i / 20) }
        }
        XCTAssertEqual(seen.count, 15)
        XCTAssert(seen.contains(try ramp().doubles()))
    }

    func testFlipErasingNoiseNormalize() throws {
        let flip = try RandomHorizontalFlip(p: 1).applied(to: ramp(), background: 0, passSeed: 1, sample: 0)
        XCTAssertEqual(Array(try flip.doubles().prefix(5)), [4, 3, 2, 1, 0])
        XCTAssertEqual(try RandomHorizontalFlip(p: 0).applied(to: ramp(), background: 0, passSeed: 1, sample: 0).doubles(), try ramp().doubles())
        let flips = try (0..<2000).count { try RandomHorizontalFlip(p: 0.3).applied(to: ramp(), background: 0, passSeed: 1, sample: $0).doubles()[0] != 0 }
        // Three deviations of a binomial: sqrt(2000 * 0.3 * 0.7) is 20.5.
        XCTAssertEqual(Double(flips), 600, accuracy: 62)
        let square = try Tensor.full(try Shape([1, 20, 20]), .double(1), .float32)
        for sample in 0..<100 {
            let erased = try RandomErasing(p: 1, scale: (0.1, 0.2), ratio: (0.5, 2), value: nil)
                .applied(to: square, background: -3, passSeed: 1, sample: sample).doubles()
            let part = Double(erased.count { $0 == -3 }) / 400
            XCTAssert(part > 0.07 && part < 0.25, "\(part)")
            XCTAssert(erased.allSatisfy { $0 == 1 || $0 == -3 })
        }
        let noise = try GaussianNoise(mean: 1, std: 0.5).applied(to: try Tensor.zeros(try Shape([1, 100, 100])), background: 0, passSeed: 1, sample: 0).doubles()
        let mean = noise.reduce(0, +) / 10000
        XCTAssertEqual(mean, 1, accuracy: 0.02)
        XCTAssertEqual((noise.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 9999).squareRoot(), 0.5, accuracy: 0.015)
        let normal = try Normalize(mean: [1, 2, 3], std: [1, 2, 4]).applied(to: ramp(), background: 0, passSeed: 1, sample: 0).doubles()
        let deviations: [Double] = [1, 2, 4]
        let expected = (0..<60).map { (i: Int) -> Double in (Double(i) - Double(i / 20 + 1)) / deviations[i / 20] }
        XCTAssertEqual(normal, expected)
        // What moves in after normalising is a normalised empty pixel.
        let moved = TransformPipeline([try Normalize(mean: [0.5], std: [0.25]), try RandomErasing(p: 1, scale: (0.5, 0.5), ratio: (1, 1), value: nil)])
        XCTAssert(try moved.applied(to: square, background: 0, passSeed: 1, sample: 0).doubles().contains(-2))
    }

    func testBadArguments() throws {
        let makers: [() throws -> any Transform] = [
            { try RandomAffine(degrees: (5, -5)) }, { try RandomAffine(scale: (0, 1)) }, { try RandomAffine(translate: (2, 0)) },
            { try RandomAffine(degrees: (.nan, 1)) }, { try RandomAffine(shearX: (-90, 0)) }, { try RandomShift(x: -1, y: 0) },
            { try RandomHorizontalFlip(p: 1.5) }, { try RandomErasing(p: 0.5, scale: (0.5, 0.1), ratio: (1, 1), value: nil) },
            { try RandomErasing(p: 0.5, scale: (0.1, 0.5), ratio: (0, 1), value: nil) }, { try GaussianNoise(mean: 0, std: -1) },
            { try Normalize(mean: [0], std: [0]) }, { try Normalize(mean: [0, 1], std: [1]) },
        ]
        for make in makers { XCTAssert(Fixture.failure { _ = try make() }.contains("expected")) }
        let bytes = try Tensor(emptyOf: try Shape([1, 4, 4]), .uint8)
        XCTAssert(Fixture.failure { _ = try RandomShift(x: 1, y: 1).applied(to: bytes, background: 0, passSeed: 0, sample: 0) }.contains("float32 images"))
    }
}
