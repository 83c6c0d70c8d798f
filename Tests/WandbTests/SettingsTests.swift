import Foundation
import Wandb
import XCTest

final class SettingsTests: XCTestCase {
    private let key = String(repeating: "0123456789", count: 4)

    func testLaterSourcesWin() throws {
        let home = try Temporary()
        let work = try Temporary()
        _ = try home.write(
            "[default]\nproject = global\nentity=team\nmode = offline\n# a comment\n[other]\nproject = no\n",
            to: ".config/wandb/settings")
        _ = try work.write("[default]\nproject: workspace\n", to: "wandb/settings")
        func load(_ variables: [String: String], _ arguments: [(name: String, value: String)] = []) throws -> Settings {
            try Settings.load(environment: variables, home: home.path, directory: work.path, arguments: arguments)
        }
        XCTAssertEqual(try load([:]).project, "workspace")
        XCTAssertEqual(try load([:]).entity, "team")
        XCTAssertEqual(try load([:]).mode, .offline)
        XCTAssertEqual(try load(["WANDB_PROJECT": "env"]).project, "env")
        XCTAssertEqual(try load(["WANDB_PROJECT": "env"], [("project", "arg")]).project, "arg")
        XCTAssertEqual(try load(["WANDB_CONFIG_DIR": work.path]).entity, nil)
        let swept = try load(["WANDB_PROJECT": "env", "WANDB_SWEEP_ID": "s"], [("project", "arg")])
        XCTAssertEqual(swept.project, "env")
        XCTAssertEqual(swept.warnings.count, 1)
    }

    func testVariablesOfTheOfficialClient() throws {
        let settings = try Settings.load(
            environment: [
                "WANDB_MODE": "dryrun", "WANDB_NAME": "n", "WANDB_RUN_ID": "id1", "WANDB_RUN_GROUP": "g",
                "WANDB_JOB_TYPE": "train", "WANDB_NOTES": "words", "WANDB_TAGS": "a, b,", "WANDB_DIR": "/d",
                "WANDB_RESUME": "allow", "WANDB_X_DISABLE_STATS": "true", "WANDB__DISABLE_META": "1",
                "WANDB_X_STATS_SAMPLING_INTERVAL": "2.5", "WANDB_X_EXTRA_HTTP_HEADERS": #"{"A": "b"}"#,
                "WANDB_BASE_URL": "http://localhost:8080/", "WANDB_SILENT": "yes", "WANDB_INIT_TIMEOUT": "3",
                "WANDB_HTTP_TIMEOUT": "7", "WANDB_CONSOLE": "off", "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1",
            ], home: "/none", directory: "/none")
        XCTAssertEqual(settings.mode, .offline)
        XCTAssertEqual(settings.runName, "n")
        XCTAssertEqual(settings.runID, "id1")
        XCTAssertEqual(settings.runGroup, "g")
        XCTAssertEqual(settings.jobType, "train")
        XCTAssertEqual(settings.notes, "words")
        XCTAssertEqual(settings.tags, ["a", "b"])
        XCTAssertEqual(settings.rootDirectory, "/d")
        XCTAssertEqual(settings.resume, .allow)
        XCTAssertTrue(settings.disablesStats)
        XCTAssertTrue(settings.disablesMetadata)
        XCTAssertEqual(settings.statsInterval, 2.5)
        XCTAssertEqual(settings.extraHeaders.first?.1, "b")
        XCTAssertEqual(settings.baseURL, "http://localhost:8080")
        XCTAssertTrue(settings.silent)
        XCTAssertEqual(settings.initTimeout, 3)
        XCTAssertEqual(settings.graphQLTimeout, 7)
        XCTAssertFalse(settings.capturesConsole)
        XCTAssertEqual(settings.fileStreamInterval, 1)
        XCTAssertEqual(
            try Settings.load(environment: ["WANDB_DISABLED": "true"], home: "/", directory: "/").mode, .disabled)
        XCTAssertEqual(try Settings.load(environment: ["WANDB_RESUME": "true"], home: "/", directory: "/").resume, .auto)
    }

    func testWrongValuesSayWhatIsExpected() {
        func message(_ variables: [String: String]) -> String {
            do {
                _ = try Settings.load(environment: variables, home: "/none", directory: "/none")
                return "no error"
            } catch { return "\(error)" }
        }
        XCTAssertEqual(
            message(["WANDB_MODE": "onlin"]),
            "wandb: WANDB_MODE: mode is 'onlin'; expected online, offline, disabled or shared")
        XCTAssertTrue(message(["WANDB_PROJECT": "a/b"]).contains("contains '/'"))
        XCTAssertTrue(message(["WANDB_RUN_ID": "a:b"]).contains("'a:b'"))
        XCTAssertTrue(message(["WANDB_TAGS": String(repeating: "x", count: 65)]).contains("65 characters"))
        XCTAssertTrue(message(["WANDB_BASE_URL": "https://wandb.ai"]).contains("https://api.wandb.ai"))
        XCTAssertTrue(message(["WANDB_BASE_URL": "localhost"]).contains("http://"))
        XCTAssertTrue(message(["WANDB_X_STATS_SAMPLING_INTERVAL": "0"]).contains("at least 0.1"))
        let short = message(["WANDB_API_KEY": "verysecret"])
        XCTAssertTrue(short.contains("10 characters") && !short.contains("verysecret"), short)
        XCTAssertTrue(message(["WANDB_API_KEY": key + " "]).contains("white space"))
    }

    func testABrokenSettingsFileIsIgnoredWithAWarning() throws {
        let home = try Temporary()
        _ = try home.write("[default]\nproject = p\nmode = nonsense\n", to: ".config/wandb/settings")
        let settings = try Settings.load(environment: [:], home: home.path, directory: home.path)
        XCTAssertNil(settings.project)
        XCTAssertEqual(settings.mode, .online)
        XCTAssertTrue(settings.warnings[0].contains("nonsense"))
    }

    func testWhereTheKeyComesFrom() throws {
        let home = try Temporary()
        let other = "local-" + String(repeating: "k", count: 40)
        _ = try home.write(
            "machine api.wandb.ai\n  login user\n  password \(key)\nmachine localhost:8080 login u password \(other)\n",
            to: ".netrc")
        func found(_ variables: [String: String]) throws -> APIKey? {
            try Settings.load(environment: variables, home: home.path, directory: home.path).apiKey
        }
        XCTAssertEqual(try found([:])?.lastFour, "6789")
        XCTAssertEqual(try found(["WANDB_BASE_URL": "http://localhost:8080"])?.lastFour, "kkkk")
        XCTAssertNil(try found(["WANDB_BASE_URL": "http://elsewhere"]))
        XCTAssertEqual(try found(["WANDB_API_KEY": String(repeating: "z", count: 40)])?.source, "WANDB_API_KEY")
        let elsewhere = try home.write("default login x password \(other)", to: "netrc2")
        XCTAssertEqual(try found(["NETRC": elsewhere])?.lastFour, "kkkk")
    }

    func testPages() {
        XCTAssertEqual(ServerURL("https://api.wandb.ai").app(override: nil), "https://wandb.ai")
        XCTAssertEqual(ServerURL("https://api.example.com").app(override: nil), "https://app.example.com")
        XCTAssertEqual(ServerURL("http://localhost:8080/").app(override: nil), "http://localhost:8080")
        XCTAssertEqual(ServerURL.encoded("a b/ü"), "a%20b%2F%C3%BC")
        XCTAssertTrue(ServerURL("http://h:1/x").owns("http://h:1/x/graphql"))
        XCTAssertFalse(ServerURL("http://h:1").owns("http://h:12/graphql"))
        XCTAssertFalse(ServerURL("http://h:1/x").owns("http://h:1/xy"))
    }
}
