import ClusterLayout
import KubernetesModel
import Linux
import Networking

/// Binds by way of the supervisor, which is in the host's network namespace.
public actor SupervisorBinder: HostBinder {
    private let paths: ClusterPaths
    private var connection: ControlConnection?

    public init(_ paths: ClusterPaths) { self.paths = paths }

    public func bind(_ address: HostAddress) async throws -> SharedDescriptor {
        do {
            guard let descriptor = try await request("bind", address).descriptor else {
                throw HostBindError("the supervisor sent no socket")
            }
            return descriptor
        } catch let error as SupervisorError {
            throw HostBindError(error.description)
        }
    }

    public func release(_ address: HostAddress) async {
        // Without a supervisor there is nobody who keeps the address.
        _ = try? await request("release", address)
    }

    public func retain(_ addresses: Set<HostAddress>) async {
        // A supervisor that starts later asks what this process has.
        _ = try? await request(["op": "retain", "addresses": .array(addresses.map(Self.json))])
    }

    private static func json(_ address: HostAddress) -> JSON {
        [
            "address": .string(address.address), "port": JSON(address.port),
            "transport": .string(address.transport),
        ]
    }

    private func request(
        _ operation: String, _ address: HostAddress
    ) async throws -> (answer: JSON, descriptor: SharedDescriptor?) {
        var message = Self.json(address)
        message["op"] = .string(operation)
        return try await request(message)
    }

    private func request(_ message: JSON) async throws -> (answer: JSON, descriptor: SharedDescriptor?) {
        if let connection {
            do {
                return try await connection.request(message)
            } catch let error as SupervisorError {
                throw error
            } catch {
                // That supervisor is gone; there may be a new one.
                self.connection = nil
            }
        }
        let fresh = try ControlConnection(paths)
        connection = fresh
        return try await fresh.request(message)
    }
}
