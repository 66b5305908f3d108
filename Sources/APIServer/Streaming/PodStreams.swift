import ClusterLayout
import HTTPTypes
import KubernetesModel
import Logging
import NIOCore
import NodeStreams

/// `pods/log`, `exec`, `attach` and `portforward`: the streams of a pod's node agent.
struct PodStreams: Sendable {
    let runDirectory: String
    let logger = Logger(label: "streams")

    /// Refuses a request that was not upgraded, with the reason.
    func refuse(_ request: APIRequest, _ pod: Object, _ subresource: String) throws(Status) -> Never {
        guard let wanted = Upgrade.asked(by: request.headers) else { throw .badRequest("Upgrade request required") }
        _ = try upgrade(request, pod, subresource, to: wanted)
        throw .badRequest("unable to upgrade: unable to negotiate a protocol")
    }

    func upgrade(
        _ request: APIRequest, _ pod: Object, _ subresource: String, to protocolName: String
    ) throws(Status) -> Upgrade? {
        let socket = try socket(of: pod)
        switch (subresource, protocolName) {
        case ("portforward", "websocket"): return webSocketForward(request, pod, socket)
        case ("portforward", _): return forward(request, pod, socket)
        case ("exec", _), ("attach", _):
            let streams = try streams(request.query)
            let command = CommandSession(
                socket: socket, request: try command(request.query, pod, subresource, streams),
                hasTerminal: streams.tty && subresource == "exec", logger: logger)
            return protocolName == "websocket"
                ? webSocketCommand(request, command, streams) : spdyCommand(request, command, streams)
        default: return nil
        }
    }

    /// The socket of the node agent that runs a pod.
    func socket(of pod: Object) throws(Status) -> String {
        guard let node = pod.spec["nodeName"].string, !node.isEmpty else {
            throw .badRequest("pod \(pod.name) does not have a host assigned")
        }
        return NodePaths.socket(of: node, in: runDirectory)
    }

    /// The container that a request names, else the only one.
    func container(_ named: String?, in pod: Object) throws(Status) -> String {
        func names(_ field: String) -> [String] { pod.spec[field].items.compactMap { $0["name"].string } }
        let containers = names("containers")
        let others = names("initContainers") + names("ephemeralContainers")
        if let named {
            guard (containers + others).contains(named) else {
                throw .badRequest("container \(named) is not valid for pod \(pod.name)")
            }
            return named
        }
        guard containers.count == 1, let only = containers.first else {
            var message = "a container name must be specified for pod \(pod.name), "
            message += "choose one of: [\(containers.joined(separator: " "))]"
            let initial = names("initContainers")
            if !initial.isEmpty {
                message += " or one of the init containers: [\(initial.joined(separator: " "))]"
            }
            throw .badRequest(message)
        }
        return only
    }

    private func streams(_ query: Query) throws(Status) -> CommandStreams {
        let tty = query.flag("tty")
        let streams = CommandStreams(
            stdin: query.flag("stdin"), stdout: query.flag("stdout"), stderr: query.flag("stderr") && !tty, tty: tty)
        guard streams.stdin || streams.stdout || streams.stderr else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        return streams
    }

    private func command(
        _ query: Query, _ pod: Object, _ subresource: String, _ streams: CommandStreams
    ) throws(Status) -> StreamRequest {
        let command = query.all("command")
        if subresource == "exec", command.isEmpty { throw .badRequest("you must specify a command") }
        let request = ExecRequest(
            namespace: pod.namespace, pod: pod.name, podUID: pod.uid,
            container: try container(query["container"], in: pod), command: command, stdin: streams.stdin,
            stdout: streams.stdout, stderr: streams.stderr, tty: streams.tty)
        return subresource == "exec" ? .exec(request) : .attach(request)
    }
}
