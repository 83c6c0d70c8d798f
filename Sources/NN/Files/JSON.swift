import JSONText

extension JSONParser.Rules {
    /// What a model file holds is read strictly, with every name once.
    static let modelFile = JSONParser.Rules(deepest: 200, refusesInfinity: true, refusesRepeatedNames: true, strings: .strict)
}

extension JSON {
    /// Reads JSON of a model file.
    /// - Throws: `TensorError` that says at which byte and why.
    public static func decode(_ text: String) throws -> JSON {
        do { return try JSONParser.parse(Array(text.utf8), .modelFile) } catch {
            throw TensorError("byte \(error.offset): \(error.reason)")
        }
    }
}
