import KernelABI

// The table of functions of one double. Kept apart from the float ones to keep files short.

func unaryDouble(_ op: Int) -> kernel_unary? {
    switch op {
    case UNARY_NEG: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.negated } }
    case UNARY_ABS: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.magnitude } }
    case UNARY_SIGN: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { signLanes($0) } }
    case UNARY_SQUARE: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0 * $0 } }
    case UNARY_RECIPROCAL: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { 1.0 / $0 } }
    case UNARY_SQRT: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.squareRoot } }
    case UNARY_RSQRT: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { 1.0 / $0.squareRoot } }
    case UNARY_EXP: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.exp($0) } }
    case UNARY_EXP2: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.exp2($0) } }
    case UNARY_EXPM1: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.expm1($0) } }
    case UNARY_LOG: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.log($0) } }
    case UNARY_LOG2: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.log2($0) } }
    case UNARY_LOG10: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.log10($0) } }
    case UNARY_LOG1P: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.log1p($0) } }
    case UNARY_SIN: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.sin($0) } }
    case UNARY_COS: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.cos($0) } }
    case UNARY_TAN: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.tan($0) } }
    case UNARY_ASIN: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.asin($0) } }
    case UNARY_ACOS: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.acos($0) } }
    case UNARY_ATAN: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.atan($0) } }
    case UNARY_SINH: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.sinh($0) } }
    case UNARY_COSH: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.cosh($0) } }
    case UNARY_TANH: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.tanh($0) } }
    case UNARY_ERF: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.erf($0) } }
    case UNARY_ERFC: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.erfc($0) } }
    case UNARY_SIGMOID: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.sigmoid($0) } }
    case UNARY_RELU: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { reluLanes($0) } }
    case UNARY_LEAKY_RELU: { n, x, y, a, _ in mapLanes(DoubleLanes.self, n, x, y) { leakyLanes($0, DoubleLanes(a)) } }
    case UNARY_ELU: { n, x, y, a, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.elu($0, DoubleLanes(a)) } }
    case UNARY_GELU: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.gelu($0) } }
    case UNARY_GELU_TANH: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.geluTanh($0) } }
    case UNARY_SILU: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.silu($0) } }
    case UNARY_SOFTPLUS:
        { n, x, y, a, b in mapLanes(DoubleLanes.self, n, x, y) { DoubleLanes.softplus($0, DoubleLanes(a), DoubleLanes(b)) } }
    case UNARY_CLAMP:
        { n, x, y, a, b in mapLanes(DoubleLanes.self, n, x, y) { clampLanes($0, DoubleLanes(a), DoubleLanes(b)) } }
    case UNARY_FLOOR: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.floor } }
    case UNARY_CEIL: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.ceil } }
    case UNARY_ROUND: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.roundEven } }
    case UNARY_TRUNC: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0.trunc } }
    case UNARY_FRAC: { n, x, y, _, _ in mapLanes(DoubleLanes.self, n, x, y) { $0 - $0.trunc } }
    case UNARY_ADD_SCALAR: { n, x, y, a, _ in mapLanes(DoubleLanes.self, n, x, y) { $0 + DoubleLanes(a) } }
    case UNARY_MUL_SCALAR: { n, x, y, a, _ in mapLanes(DoubleLanes.self, n, x, y) { $0 * DoubleLanes(a) } }
    default: nil
    }
}
