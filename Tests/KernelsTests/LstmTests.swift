import KernelABI
import XCTest

/// Long short-term memory over a sequence against plain loops in double; PyTorch's values are in Tests/Golden.
final class LstmTests: XCTestCase {
    private struct Shape {
        var steps, batch, input, h: Int
        var reverse = false, first = true, bias = true
        /// The layout of x and of the gradient of the states: as of [batch, steps, ..], or a little more than a row apart.
        var batchFirst = false
        var inputRow: Int { input + (batchFirst ? 0 : 3) }
        /// Elements from step to step and from row to row of something whose rows lie `width` apart.
        func strides(_ width: Int) -> (step: Int, row: Int) { batchFirst ? (width, steps * width) : (batch * width, width) }
    }

    private static let shapes = [
        Shape(steps: 3, batch: 5, input: 4, h: 6),
        Shape(steps: 2, batch: 1, input: 1, h: 1, bias: false),
        Shape(steps: 4, batch: 13, input: 28, h: 33, reverse: true),
        Shape(steps: 2, batch: 20, input: 17, h: 70, first: false),
        Shape(steps: 1, batch: 3, input: 40, h: 16, batchFirst: true),
        // More rows than go through the panels together, and more products than a chain is long.
        Shape(steps: 3, batch: 110, input: 12, h: 20, batchFirst: true),
    ]

    private struct Run<T: Real> {
        let x, wih, whh, bias, states, cells, gates, squashed, dout, dc, dh, dx, dwih, dwhh, dbias: Buffer<T>

        init(_ s: Shape, _ table: kernel_table, _ exec: UnsafePointer<kernel_exec>) {
            x = Buffer(count: s.steps * s.batch * s.inputRow, seed: 1, scale: 0.5)
            wih = Buffer(count: 4 * s.h * s.input, seed: 2, scale: 0.25)
            whh = Buffer(count: 4 * s.h * s.h, seed: 3, scale: 0.125)
            bias = Buffer(count: 4 * s.h, seed: 4)
            (states, cells) = (Buffer(count: (s.steps + 1) * s.batch * s.h), Buffer(count: (s.steps + 1) * s.batch * s.h))
            let first = (s.reverse ? s.steps : 0) * s.batch * s.h
            let start = Buffer<T>(count: 2 * s.batch * s.h, seed: 5, scale: 0.5)
            for i in 0..<(s.batch * s.h) {
                states.pointer[first + i] = start.pointer[i]
                cells.pointer[first + i] = start.pointer[s.batch * s.h + i]
            }
            gates = Buffer(count: s.steps * s.batch * 4 * s.h)
            squashed = Buffer(count: s.steps * s.batch * s.h)
            dout = Buffer(count: s.steps * s.batch * s.h, seed: 6)
            (dc, dh) = (Buffer(count: s.batch * s.h, seed: 7), Buffer(count: s.batch * s.h))
            (dx, dwih, dwhh) = (Buffer(count: s.steps * s.batch * s.input), Buffer(count: wih.count), Buffer(count: whh.count))
            dbias = Buffer(count: bias.count)
            var p = kernel_gated(
                steps: s.steps, batch: s.batch, input: s.input, h: s.h, x_step: s.strides(s.inputRow).step,
                x_row: s.strides(s.inputRow).row, dout_step: s.strides(s.h).step, dout_row: s.strides(s.h).row, reverse: s.reverse,
                x: x.raw, weight_ih: wih.raw, weight_hh: whh.raw, bias: s.bias ? UnsafeRawPointer(bias.raw) : nil, states: states.raw,
                cells: cells.raw, gates: gates.raw, squashed: squashed.raw, dout: dout.raw, dc: dc.raw, dh: s.first ? dh.raw : nil,
                dx: s.first ? dx.raw : nil, dweight_ih: dwih.raw, dweight_hh: dwhh.raw, dbias: s.bias ? dbias.raw : nil)
            table.lstm(T.kernelType, &p, exec)
            table.lstm_backward(T.kernelType, &p, exec)
        }
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    private func check<T: Real>(_: T.Type) {
        for s in Self.shapes {
            for level in Level.all {
                let run = TestThreads.withExec { Run<T>(s, level.table, $0) }
                let (n, h, input) = (s.batch, s.h, s.input)
                func x(_ t: Int, _ b: Int, _ k: Int) -> Double {
                    Double(run.x.pointer[t * s.strides(s.inputRow).step + b * s.strides(s.inputRow).row + k])
                }
                var state = Buffer<T>(count: 2 * n * h, seed: 5, scale: 0.5).values.map { Double($0) }
                var cell = Array(state[(n * h)...])
                state.removeLast(n * h)
                var gates = [Double](repeating: 0, count: run.gates.count), squashed = [Double](repeating: 0, count: run.squashed.count)
                var before: [[Double]] = [], starts: [[Double]] = [], states = squashed
                let order = s.reverse ? Array((0..<s.steps).reversed()) : Array(0..<s.steps)
                for t in order {
                    before.append(cell)
                    starts.append(state)
                    let old = state
                    for b in 0..<n {
                        for j in 0..<(4 * h) {
                            var sum = s.bias ? Double(run.bias.pointer[j]) : 0
                            for k in 0..<input { sum += x(t, b, k) * Double(run.wih.pointer[j * input + k]) }
                            for k in 0..<h { sum += old[b * h + k] * Double(run.whh.pointer[j * h + k]) }
                            gates[(t * n + b) * 4 * h + j] = j / h == 2 ? tanh(sum) : sigmoid(sum)
                        }
                        for j in 0..<h {
                            let g = (t * n + b) * 4 * h + j
                            cell[b * h + j] = gates[g + h] * cell[b * h + j] + gates[g] * gates[g + 2 * h]
                            squashed[(t * n + b) * h + j] = tanh(cell[b * h + j])
                            state[b * h + j] = gates[g + 3 * h] * squashed[(t * n + b) * h + j]
                            states[(t * n + b) * h + j] = state[b * h + j]
                        }
                    }
                }
                let title = "\(level.name) \(T.self) \(s)"
                assertClose(run.gates, gates, title + ": gates", factor: 4, floor: 1)
                assertClose(run.squashed, squashed, title + ": squashed", factor: 4, floor: 1)
                let skip = s.reverse ? 0 : n * h
                assertClose(
                    Buffer(Array(run.states.values[skip..<(skip + s.steps * n * h)])), states, title + ": states", factor: 4, floor: 1)

                // Back: through the steps in the other direction.
                var dc = Buffer<T>(count: n * h, seed: 7).values.map { Double($0) }, dh = [Double](repeating: 0, count: n * h)
                var slope = [Double](repeating: 0, count: 4 * h), dx = [Double](repeating: 0, count: run.dx.count)
                var (dwih, dwhh) = ([Double](repeating: 0, count: run.dwih.count), [Double](repeating: 0, count: run.dwhh.count))
                var dbias = [Double](repeating: 0, count: 4 * h)
                for (i, t) in order.enumerated().reversed() {
                    for b in 0..<n {
                        for j in 0..<h {
                            let (g, at) = ((t * n + b) * 4 * h + j, (t * n + b) * h + j)
                            let (input, forget, new, output) = (gates[g], gates[g + h], gates[g + 2 * h], gates[g + 3 * h])
                            let d = Double(run.dout.pointer[t * s.strides(h).step + b * s.strides(h).row + j]) + dh[b * h + j]
                            let c = dc[b * h + j] + d * output * (1 - squashed[at] * squashed[at])
                            slope[j] = c * new * input * (1 - input)
                            slope[j + h] = c * before[i][b * h + j] * forget * (1 - forget)
                            slope[j + 2 * h] = c * input * (1 - new * new)
                            slope[j + 3 * h] = d * squashed[at] * output * (1 - output)
                            dc[b * h + j] = c * forget
                        }
                        for k in 0..<h { dh[b * h + k] = (0..<(4 * h)).reduce(0) { $0 + slope[$1] * Double(run.whh.pointer[$1 * h + k]) } }
                        for k in 0..<input {
                            dx[(t * n + b) * input + k] = (0..<(4 * h)).reduce(0) { $0 + slope[$1] * Double(run.wih.pointer[$1 * input + k]) }
                        }
                        for j in 0..<(4 * h) {
                            for k in 0..<input { dwih[j * input + k] += slope[j] * x(t, b, k) }
                            for k in 0..<h { dwhh[j * h + k] += slope[j] * starts[i][b * h + k] }
                            dbias[j] += slope[j]
                        }
                    }
                }
                assertClose(run.dc, dc, title + ": dc", factor: 8, floor: 1)
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
                return [run.gates, run.states, run.cells, run.dc, run.dh, run.dx, run.dwih, run.dwhh, run.dbias].map(\.data)
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
}
