import KernelABI
import XCTest

/// Gated recurrent units over a sequence against plain loops in double; PyTorch's values are in Tests/Golden.
final class GruTests: XCTestCase {
    private struct Shape {
        var steps, batch, input, h: Int
        var reverse = false, first = true, bias = true
    }

    private static let shapes = [
        Shape(steps: 3, batch: 5, input: 4, h: 6),
        Shape(steps: 2, batch: 1, input: 1, h: 1, bias: false),
        Shape(steps: 4, batch: 13, input: 28, h: 33, reverse: true),
        Shape(steps: 2, batch: 20, input: 17, h: 70, first: false),
        Shape(steps: 3, batch: 110, input: 12, h: 20),
    ]

    private struct Run<T: Real> {
        let x, wih, whh, bias, states, gates, dout, dh, dx, dwih, dwhh, dbias: Buffer<T>

        init(_ s: Shape, _ table: kernel_table, _ exec: UnsafePointer<kernel_exec>, infinite: Bool = false) {
            x = Buffer(count: s.steps * s.batch * s.input, seed: 1, scale: 0.5)
            wih = Buffer(count: 3 * s.h * s.input, seed: 2, scale: 0.25)
            if infinite {
                for i in 0..<x.count { x.pointer[i] = 0 }
                x.pointer[0] = T.infinity
                for i in 0..<wih.count { wih.pointer[i] = 1 }
            }
            whh = Buffer(count: 3 * s.h * s.h, seed: 3, scale: 0.125)
            bias = Buffer(count: 4 * s.h, seed: 4)
            states = Buffer(count: (s.steps + 1) * s.batch * s.h)
            let start = Buffer<T>(count: s.batch * s.h, seed: 5, scale: 0.5)
            for i in 0..<start.count { states.pointer[(s.reverse ? s.steps : 0) * start.count + i] = start.pointer[i] }
            gates = Buffer(count: s.steps * s.batch * 4 * s.h)
            (dout, dh) = (Buffer(count: s.steps * s.batch * s.h, seed: 6), Buffer(count: s.batch * s.h))
            (dx, dwih, dwhh) = (Buffer(count: x.count), Buffer(count: wih.count), Buffer(count: whh.count))
            dbias = Buffer(count: bias.count)
            var p = kernel_gated(
                steps: s.steps, batch: s.batch, input: s.input, h: s.h, x_step: s.batch * s.input, x_row: s.input,
                dout_step: s.batch * s.h, dout_row: s.h, reverse: s.reverse, x: x.raw, weight_ih: wih.raw, weight_hh: whh.raw,
                bias: s.bias ? UnsafeRawPointer(bias.raw) : nil, states: states.raw, cells: nil, gates: gates.raw, squashed: nil,
                dout: dout.raw, dc: nil, dh: s.first ? dh.raw : nil, dx: s.first ? dx.raw : nil, dweight_ih: dwih.raw,
                dweight_hh: dwhh.raw, dbias: s.bias ? dbias.raw : nil)
            table.gru(T.kernelType, &p, exec)
            table.gru_backward(T.kernelType, &p, exec)
        }
    }

    /// Which block of a weight's rows belongs to each of r, z and the two parts of n.
    private let ofInput = [0, 1, 2, nil], ofState = [0, 1, nil, 2]

    private func check<T: Real>(_: T.Type) {
        for s in Self.shapes {
            for level in Level.all {
                let run = TestThreads.withExec { Run<T>(s, level.table, $0) }
                let (n, h, input) = (s.batch, s.h, s.input)
                func x(_ t: Int, _ b: Int, _ k: Int) -> Double { Double(run.x.pointer[(t * n + b) * input + k]) }
                func wih(_ j: Int, _ k: Int) -> Double { Double(run.wih.pointer[j * input + k]) }
                func whh(_ j: Int, _ k: Int) -> Double { Double(run.whh.pointer[j * h + k]) }
                func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
                var state = Buffer<T>(count: n * h, seed: 5, scale: 0.5).values.map { Double($0) }
                var gates = [Double](repeating: 0, count: run.gates.count), states = [Double](repeating: 0, count: s.steps * n * h)
                var starts: [[Double]] = []
                let order = s.reverse ? Array((0..<s.steps).reversed()) : Array(0..<s.steps)
                for t in order {
                    starts.append(state)
                    let old = state
                    for b in 0..<n {
                        for j in 0..<h {
                            var sums = (0..<4).map { s.bias ? Double(run.bias.pointer[$0 * h + j]) : 0 }
                            for gate in 0..<4 {
                                if let block = ofInput[gate] { for k in 0..<input { sums[gate] += x(t, b, k) * wih(block * h + j, k) } }
                                if let block = ofState[gate] { for k in 0..<h { sums[gate] += old[b * h + k] * whh(block * h + j, k) } }
                            }
                            let (r, z) = (sigmoid(sums[0]), sigmoid(sums[1]))
                            let new = tanh(sums[2] + r * sums[3])
                            for (gate, value) in [r, z, new, sums[3]].enumerated() { gates[(t * n + b) * 4 * h + gate * h + j] = value }
                            state[b * h + j] = new + z * (old[b * h + j] - new)
                            states[(t * n + b) * h + j] = state[b * h + j]
                        }
                    }
                }
                let title = "\(level.name) \(T.self) \(s)"
                assertClose(run.gates, gates, title + ": gates", factor: 4, floor: 1)
                let skip = s.reverse ? 0 : n * h
                assertClose(
                    Buffer(Array(run.states.values[skip..<(skip + s.steps * n * h)])), states, title + ": states", factor: 4, floor: 1)

                // Back: through the steps in the other direction.
                var dh = [Double](repeating: 0, count: n * h), dx = [Double](repeating: 0, count: run.dx.count)
                var (dwih, dwhh) = ([Double](repeating: 0, count: run.dwih.count), [Double](repeating: 0, count: run.dwhh.count))
                var dbias = [Double](repeating: 0, count: 4 * h), slope = dbias
                for (i, t) in order.enumerated().reversed() {
                    for b in 0..<n {
                        var next = [Double](repeating: 0, count: h)
                        for j in 0..<h {
                            let g = (t * n + b) * 4 * h + j
                            let (r, z, new, k) = (gates[g], gates[g + h], gates[g + 2 * h], gates[g + 3 * h])
                            let d = Double(run.dout.pointer[(t * n + b) * h + j]) + dh[b * h + j]
                            slope[j + 2 * h] = d * (1 - z) * (1 - new * new)
                            slope[j + 3 * h] = slope[j + 2 * h] * r
                            slope[j] = slope[j + 2 * h] * k * r * (1 - r)
                            slope[j + h] = d * (starts[i][b * h + j] - new) * z * (1 - z)
                            next[j] = d * z
                        }
                        for gate in 0..<4 {
                            for j in 0..<h {
                                let v = slope[gate * h + j]
                                dbias[gate * h + j] += v
                                if let block = ofState[gate] {
                                    for k in 0..<h {
                                        next[k] += v * whh(block * h + j, k)
                                        dwhh[(block * h + j) * h + k] += v * starts[i][b * h + k]
                                    }
                                }
                                if let block = ofInput[gate] {
                                    for k in 0..<input {
                                        dx[(t * n + b) * input + k] += v * wih(block * h + j, k)
                                        dwih[(block * h + j) * input + k] += v * x(t, b, k)
                                    }
                                }
                            }
                        }
                        for k in 0..<h { dh[b * h + k] = next[k] }
                    }
                }
                assertClose(run.dwih, dwih, title + ": dweight_ih", factor: 8, floor: 1)
                assertClose(run.dwhh, dwhh, title + ": dweight_hh", factor: 8, floor: 1)
                if s.bias { assertClose(run.dbias, dbias, title + ": dbias", factor: 8, floor: 1) }
                if s.first {
                    assertClose(run.dh, dh, title + ": dh", factor: 8, floor: 1)
                    assertClose(run.dx, dx, title + ": dx", factor: 8, floor: 1)
                }
            }
        }
    }

    func testFloat() { check(Float.self) }
    func testDouble() { check(Double.self) }

    private func checkBits<T: Real>(_: T.Type) {
        // Large enough for several threads.
        let large = [Shape(steps: 5, batch: 64, input: 28, h: 128), Shape(steps: 3, batch: 61, input: 9, h: 100, reverse: true)]
        for s in Self.shapes + large {
            assertSameBits("\(T.self) \(s)") { table, exec in
                let run = Run<T>(s, table, exec)
                return [run.gates, run.states, run.dh, run.dx, run.dwih, run.dwhh, run.dbias].map(\.data)
            }
        }
    }

    func testFloatBitsAreTheSameEverywhere() { checkBits(Float.self) }
    func testDoubleBitsAreTheSameEverywhere() { checkBits(Double.self) }

    /// Both ways the weights are laid out by all threads; then there are the steps, and on the way back, twice, some steps and
    /// the weights' gradients.
    func testThreadsShareALargeLayer() {
        for level in Level.all {
            let runs = TestThreads.withExec(threads: 2) {
                _ = Run<Float>(Shape(steps: 5, batch: 64, input: 28, h: 128), level.table, $0)
                return TestThreads.runs
            }
            XCTAssertEqual(runs, 7, level.name)
        }
    }

    /// An infinite input saturates the gates: nothing of it is multiplied by the zeros that fill the panels.
    func testAnInfiniteInputGivesNumbers() {
        let s = Shape(steps: 2, batch: 3, input: 2, h: 5)
        for level in Level.all {
            let run = TestThreads.withExec { Run<Float>(s, level.table, $0, infinite: true) }
            for i in 0..<run.states.count { XCTAssertTrue(run.states.pointer[i].isFinite, "\(level.name): element \(i)") }
        }
    }
}
