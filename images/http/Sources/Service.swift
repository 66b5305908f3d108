import Glibc

/// What the example services have in common: their ports, their health, their end.
///
/// Arguments: `-http PORT` (80), `-health PORT` (81), `-quiet` for no line a request. `VERSION` names the version,
/// `DRAIN_MILLISECONDS` how long SIGTERM leaves the door open.
public final class Service {
    private let server: Server
    private let name: String
    private let hostname: String
    private var isHealthy = true
    private var isReady = true

    public static var version: String { variable("VERSION") ?? "1.0.0" }

    /// Runs a service whose `routes` answer on the main port; returns the exit code.
    public static func main(_ name: String, routes: @escaping (Request) -> Response?) -> Int32 {
        do throws(ServerError) {
            try Service(name, server: Server()).run(routes)
            return 0
        } catch {
            var text = Array("\(name): \(error)\n".utf8)
            _ = write(STDERR_FILENO, &text, text.count)
            return 1
        }
    }

    public static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private init(_ name: String, server: Server) {
        self.name = name
        self.server = server
        var buffer = [UInt8](repeating: 0, count: 256)
        let result = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { gethostname($0.baseAddress!, $0.count) }
        }
        hostname = result == 0 ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : ""
    }

    private func run(_ routes: @escaping (Request) -> Response?) throws(ServerError) {
        if let time = Self.variable("DRAIN_MILLISECONDS").flatMap({ Int($0) }) { server.drainTime = time }
        let version = Response(json: "{\"version\":\"\(Self.version)\"}")
        let logs = !CommandLine.arguments.contains("-quiet")
        let port = Self.port("-http", 80)
        let healthPort = Self.port("-health", 81)
        try server.listen(port: port, logsRequests: logs) { request in
            if request.path == "/version" { return Self.only("GET", request) ?? version }
            return routes(request) ?? Response(status: 404)
        }
        // Strong: the service lives as long as the process.
        try server.listen(port: healthPort, logsRequests: false) { self.health($0) }
        var text = Array("\(name) \(Self.version): HTTP on port \(port), health on port \(healthPort)\n".utf8)
        _ = write(STDOUT_FILENO, &text, text.count)
        try server.run()
    }

    /// Refuses other methods than this one; `HEAD` goes with `GET`.
    public static func only(_ method: String, _ request: Request) -> Response? {
        if request.method == method || (method == "GET" && request.method == "HEAD") { return nil }
        var response = Response(status: 405)
        response.headers.append(("Allow", method))
        return response
    }

    /// `/healthz` and `/readiness`; a POST to `…/status` turns one bad, another turns it good again.
    private func health(_ request: Request) -> Response {
        switch request.path {
        case "/healthz":
            return state(isHealthy)
        case "/readiness":
            return state(isReady && !server.isEnding)
        case "/healthz/status":
            if let refusal = Self.only("POST", request) { return refusal }
            isHealthy.toggle()
            return state(isHealthy, status: 200)
        case "/readiness/status":
            if let refusal = Self.only("POST", request) { return refusal }
            isReady.toggle()
            return state(isReady, status: 200)
        default:
            return Response(status: 404)
        }
    }

    private func state(_ isGood: Bool, status: Int? = nil) -> Response {
        Response(
            status: status ?? (isGood ? 200 : 503),
            json: "{\"hostname\":\"\(hostname)\",\"status\":\"\(isGood ? "ok" : "unavailable")\"}")
    }

    private static func port(_ flag: String, _ value: UInt16) -> UInt16 {
        guard let index = CommandLine.arguments.firstIndex(of: flag), index + 1 < CommandLine.arguments.count else {
            return value
        }
        // As Go's address flags: a host before the colon is accepted and means all addresses.
        return CommandLine.arguments[index + 1].split(separator: ":").last.flatMap { UInt16($0) } ?? value
    }
}
