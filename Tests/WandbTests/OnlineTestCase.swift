import Foundation
import Wandb
import XCTest

/// Runs against a server that records what arrives.
class OnlineTestCase: XCTestCase {
    let key = String(repeating: "k", count: 36) + "wxyz"

    func settings(_ server: RecordingServer, _ directory: Temporary, id: String = "run1") throws -> Settings {
        var settings = Settings()
        settings.baseURL = server.url
        settings.apiKey = try APIKey(key, source: "WANDB_API_KEY")
        settings.rootDirectory = directory.path
        settings.project = "demo"
        settings.runID = id
        settings.silent = true
        settings.retryScale = 0.01
        settings.fileStreamInterval = 0.05
        return settings
    }

    func start(_ settings: Settings, config: WandbMap = [:]) throws -> Run {
        var options = RunOptions()
        options.config = config
        options.packages = [("host", "1.0")]
        return try Run.start(options, settings: settings)
    }
}
