/// A search over configs that the server directs.
public struct Sweep: Sendable {
    public let id: String
    public let entity: String
    public let project: String
    /// What the server thinks is odd about the config.
    public let warnings: [String]

    public var path: String { "\(entity)/\(project)/\(id)" }

    /// Creates a sweep from W&B's sweep config: `method`, `metric`, `parameters`, and what else it knows.
    public static func create(_ config: WandbMap, settings: Settings, isInterrupted: @escaping @Sendable () -> Bool = { false })
        throws(WandbError) -> Sweep
    {
        guard settings.apiKey != nil else {
            throw .usage("wandb.sweep: there is no API key for \(settings.baseURL); put one into WANDB_API_KEY")
        }
        let checked = try check(config)
        let client = ServerClient(settings: settings, stop: isInterrupted)
        let query = """
            mutation UpsertSweep($id: ID, $config: String, $description: String, $entityName: String, \
            $projectName: String, $controller: JSONString, $scheduler: JSONString) { upsertSweep(input: {id: $id, \
            config: $config, description: $description, entityName: $entityName, projectName: $projectName, \
            controller: $controller, scheduler: $scheduler}) { sweep { name project { id name entity { id name } } } \
            configValidationWarnings } }
            """
        let project = settings.project ?? checked["project"]?.stringValue ?? Run.defaultProject(program: settings.program)
        let entity = settings.entity ?? checked["entity"]?.stringValue
        let data = try client.graphQL(
            query,
            [
                "config": .string(YAMLWriter.text(checked)), "projectName": .string(project),
                "entityName": entity.map { .string($0) } ?? .null,
            ])
        guard let sweep = data["upsertSweep"]?["sweep"], let id = sweep["name"]?.stringValue else {
            throw .format("wandb.sweep: the server's answer names no sweep")
        }
        return Sweep(
            id: id, entity: sweep["project"]?["entity"]?["name"]?.stringValue ?? entity ?? "",
            project: sweep["project"]?["name"]?.stringValue ?? project,
            warnings: (data["upsertSweep"]?["configValidationWarnings"]?.listValue ?? []).compactMap(\.stringValue))
    }

    /// A range without a distribution gets the uniform one of its kind.
    package static func check(_ config: WandbMap) throws(WandbError) -> WandbMap {
        let methods = ["grid", "random", "bayes"]
        guard let method = config["method"]?.stringValue, methods.contains(method) else {
            throw .usage(
                "wandb.sweep: method is \(config["method"].map(JSONWriter.text) ?? "missing"); expected "
                    + methods.joined(separator: ", "))
        }
        guard let parameters = config["parameters"]?.mapValue, !parameters.isEmpty else {
            throw .usage("wandb.sweep: 'parameters' is missing; expected a table of name = {values = {…}} or {min, max}")
        }
        if method == "bayes", config["metric"]?["name"]?.stringValue == nil {
            throw .usage("wandb.sweep: method 'bayes' needs metric = {name = …, goal = …}")
        }
        var config = config
        config["parameters"] = .map(try complete(parameters))
        return config
    }

    private static func complete(_ parameters: WandbMap) throws(WandbError) -> WandbMap {
        var completed = WandbMap()
        for entry in parameters.entries {
            guard var parameter = entry.value.mapValue else {
                throw .usage("wandb.sweep: parameter '\(entry.key)' is a \(entry.value.kind); expected {value = …} or the like")
            }
            if let inner = parameter["parameters"]?.mapValue {
                parameter["parameters"] = .map(try complete(inner))
            } else if let low = parameter["min"], let high = parameter["max"], parameter["distribution"] == nil {
                switch (low, high) {
                case (.int, .int): parameter["distribution"] = "int_uniform"
                case (.int, .double), (.double, .int), (.double, .double): parameter["distribution"] = "uniform"
                default: throw .usage("wandb.sweep: parameter '\(entry.key)': min and max must be numbers")
                }
            }
            completed[entry.key] = .map(parameter)
        }
        return completed
    }
}
