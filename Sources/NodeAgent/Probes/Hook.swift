import Glibc
import KubernetesModel
import Linux
import PodRuntime

/// Carries out the handlers that probes and lifecycle hooks share: exec, httpGet, tcpSocket, grpc, sleep.
struct Hook: Sendable {
    let node: NodeContext
    let container: Container
    /// The pod's address.
    let address: String

    /// Runs a lifecycle handler; returns what went wrong, nil for nothing.
    func run(_ handler: JSON, _ id: ContainerID) async -> String? {
        if let seconds = handler["sleep"]["seconds"].int {
            // No clock holds the moment that is 2^63 seconds away.
            try? await Task.sleep(for: .seconds(min(seconds, Int(Int32.max))))
            return nil
        }
        let timeout = 30.0 * 24 * 3600
        if !handler["httpGet"].isNull {
            // As with the kubelet any answer will do.
            do {
                _ = try await NetworkProbe.http(try request(handler["httpGet"]), timeout: timeout)
                return nil
            } catch {
                return "\(error)"
            }
        }
        return await attempt(handler, id, timeout: timeout).failure
    }

    /// One attempt of a handler.
    func attempt(_ handler: JSON, _ id: ContainerID, timeout: Double) async -> ProbeResult {
        do {
            if !handler["httpGet"].isNull {
                let answer = try await NetworkProbe.http(try request(handler["httpGet"]), timeout: timeout)
                switch answer.code {
                case 200..<300: return .success
                case 300..<400: return .warning("Probe terminated redirects, Response body: \(answer.body)")
                default: return .failure("HTTP probe failed with statuscode: \(answer.code)")
                }
            }
            guard let fault = try await fault(of: handler, id, timeout: timeout) else { return .success }
            return .failure(fault)
        } catch {
            return .failure("\(error)")
        }
    }

    /// What goes wrong with a handler that has no more to report than that; nil for nothing.
    private func fault(of handler: JSON, _ id: ContainerID, timeout: Double) async throws -> String? {
        if !handler["exec"].isNull {
            return try await execute(handler["exec"]["command"].strings, id, timeout: timeout)
        }
        if !handler["tcpSocket"].isNull {
            let source = handler["tcpSocket"]
            try await NetworkProbe.tcp(
                host: source["host"].string ?? address, port: try port(source["port"]), timeout: timeout)
            return nil
        }
        if !handler["grpc"].isNull {
            let source = handler["grpc"]
            try await GRPCProbe.check(
                host: address, port: try port(source["port"]), service: source["service"].string ?? "",
                timeout: timeout)
            return nil
        }
        return "handlers of type \((handler.object ?? [:]).keys.sorted().joined(separator: ", ")) are not supported"
    }

    private func request(_ source: JSON) throws -> NetworkProbe.HTTPRequest {
        let path = source["path"].string ?? "/"
        let headers = source["httpHeaders"].items.map { ($0["name"].string ?? "", $0["value"].string ?? "") }
        let host = source["host"].string.flatMap { $0.isEmpty ? nil : $0 } ?? address
        return NetworkProbe.HTTPRequest(
            host: host, port: try port(source["port"]), path: path.hasPrefix("/") ? path : "/" + path,
            isTLS: source["scheme"].string == "HTTPS", headers: headers)
    }

    private func port(_ json: JSON) throws -> Int {
        if let number = json.int { return number }
        let name = json.string ?? ""
        if let number = Int(name) { return number }
        guard let port = container.ports.first(where: { $0["name"].string == name })?["containerPort"].int else {
            throw NetworkProbe.Failure(description: "couldn't find port: \(name)")
        }
        return port
    }

    /// Runs a command, which is killed when its time is over; a failure's text is what it wrote, as with the kubelet.
    private func execute(_ command: [String], _ id: ContainerID, timeout: Double) async throws -> String? {
        let session = try await node.runtime.execute(ExecConfiguration(container: id, arguments: command))
        return try await withThrowingTaskGroup(of: CommandEnd.self) { group in
            group.addTask {
                let output = await drain([session.stdout, session.stderr].compactMap(\.self), limit: 10_240)
                return .ended(code: try await session.wait(), output: output)
            }
            group.addTask {
                try await Task.sleep(for: .seconds(timeout))
                return .timedOut
            }
            defer { group.cancelAll() }
            let end: CommandEnd?
            do {
                end = try await group.next()
            } catch {
                // Nobody waits for it any more, and what reads its output does so to its end.
                await session.kill()
                throw error
            }
            switch end {
            case .ended(let code, let output): return code == 0 ? nil : output
            case .timedOut, nil:
                await session.kill()
                let text = command.joined(separator: " ")
                return "command timed out: \"\(text)\" timed out after \(goDuration(timeout))"
            }
        }
    }

    private enum CommandEnd: Sendable {
        case ended(code: Int32, output: String)
        case timedOut
    }
}

/// Reads descriptors to their end, keeps the first `limit` bytes of each as text, one after the other, and closes them.
func drain(_ descriptors: [SharedDescriptor], limit: Int) async -> String {
    await withTaskGroup(of: (Int, [UInt8]).self) { group in
        for (index, descriptor) in descriptors.enumerated() {
            group.addTask {
                var bytes: [UInt8] = []
                DescriptorStream.prepare(descriptor)
                while let more = try? await DescriptorStream.read(descriptor) {
                    bytes += more.prefix(max(0, limit - bytes.count))
                }
                descriptor.close()
                return (index, bytes)
            }
        }
        var parts = [[UInt8]](repeating: [], count: descriptors.count)
        for await (index, bytes) in group { parts[index] = bytes }
        return String(decoding: parts.joined(), as: UTF8.self)
    }
}
