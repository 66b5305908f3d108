import KubernetesModel

/// The environment variables by which a container finds Services, as Docker's links had them.
func serviceVariables(_ services: [Object], namespace: String, links: Bool) -> [(name: String, value: String)] {
    var chosen: [String: Service] = [:]
    for object in services {
        let isMaster = object.namespace == "default" && object.name == "kubernetes"
        let service = Service(object)
        guard service.clusterIP != nil, service.type != "ExternalName" else { continue }
        if isMaster {
            // A Service of the pod's own namespace by that name has precedence.
            if chosen[object.name] == nil { chosen[object.name] = service }
        } else if links && object.namespace == namespace {
            chosen[object.name] = service
        }
    }
    var variables: [(name: String, value: String)] = []
    for (name, service) in chosen.sorted(by: { $0.key < $1.key }) {
        guard let address = service.clusterIP, let first = service.ports.first else { continue }
        let prefix = variableName(name)
        variables.append(("\(prefix)_SERVICE_HOST", address))
        variables.append(("\(prefix)_SERVICE_PORT", String(first.port)))
        for port in service.ports where !port.name.isEmpty {
            variables.append(("\(prefix)_SERVICE_PORT_\(variableName(port.name))", String(port.port)))
        }
        for (index, port) in service.ports.enumerated() {
            let transport = port.transport.lowercased()
            let url = "\(transport)://\(address):\(port.port)"
            if index == 0 { variables.append(("\(prefix)_PORT", url)) }
            let each = "\(prefix)_PORT_\(port.port)_\(port.transport.uppercased())"
            variables.append((each, url))
            variables.append(("\(each)_PROTO", transport))
            variables.append(("\(each)_PORT", String(port.port)))
            variables.append(("\(each)_ADDR", address))
        }
    }
    return variables
}

private func variableName(_ name: String) -> String {
    String(name.uppercased().map { $0 == "-" ? "_" : $0 })
}
