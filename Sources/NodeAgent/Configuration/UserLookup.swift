import ImageStore
import KubernetesModel
import Linux

/// Who a container's program runs as.
struct ContainerUser: Sendable, Equatable {
    var user: UInt32 = 0
    var group: UInt32 = 0
    var supplementary: [UInt32] = []
    /// The user's, from the image's `/etc/passwd`; `/` if unknown.
    var home = "/"
}

/// Finds users and groups in an image's own `/etc/passwd` and `/etc/group`. It blocks, for a read of two small files.
struct UserLookup: Sendable {
    /// Lowest first.
    let layers: [String]

    func resolve(
        image: String, podContext: JSON, context: JSON, describing container: String
    ) throws -> ContainerUser {
        var result = ContainerUser()
        let accounts = try lines("/etc/passwd")
        let groups = try lines("/etc/group")
        let parts = image.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let wantedUser = context["runAsUser"].int ?? podContext["runAsUser"].int
        let name = wantedUser.map(String.init) ?? parts.first ?? ""
        let account = accounts.first { $0.count >= 6 && ($0[0] == name || $0[2] == name) }
        let isNumeric = !name.isEmpty && name.allSatisfy { ("0"..."9").contains($0) }

        if !name.isEmpty {
            guard let text = isNumeric ? name : account.map({ $0[2] }) else {
                throw StartFailure.configuration(
                    reason: "CreateContainerError",
                    message: "unable to find user \(name): no matching entries in passwd file")
            }
            result.user = try id(text)
        }
        if let account = account ?? accounts.first(where: { $0.count >= 6 && $0[2] == "0" && name.isEmpty }) {
            result.group = try id(account[3])
            result.home = account[5]
            // By `Strict` only those groups count that the pod names.
            let merges = podContext["supplementalGroupsPolicy"].string != "Strict"
            result.supplementary = try (merges ? groups : []).filter {
                $0.count >= 4 && $0[3].split(separator: ",").contains { $0 == account[0] }
            }
            .map { try id($0[2]) }
        }
        if wantedUser == nil, parts.count == 2 {
            let isNumber = !parts[1].isEmpty && parts[1].allSatisfy { ("0"..."9").contains($0) }
            guard
                let text = isNumber ? parts[1] : groups.first(where: { $0.count >= 3 && $0[0] == parts[1] })?[2]
            else {
                throw StartFailure.configuration(
                    reason: "CreateContainerError",
                    message: "unable to find group \(parts[1]): no matching entries in group file")
            }
            result.group = try id(text)
        }
        if let group = context["runAsGroup"].int ?? podContext["runAsGroup"].int {
            result.group = try id("\(group)")
        }
        if let group = podContext["fsGroup"].int { result.supplementary.append(try id("\(group)")) }
        for group in podContext["supplementalGroups"].items.compactMap(\.int) {
            result.supplementary.append(try id("\(group)"))
        }
        try check(
            result, nonRoot: context["runAsNonRoot"].bool ?? podContext["runAsNonRoot"].bool ?? false,
            isNamed: wantedUser == nil && !isNumeric && !name.isEmpty, name: name, container: container,
            asked: wantedUser != nil)
        return result
    }

    /// - Throws: for what lies beyond the numbers that the kernel's calls take: the last one means "as it is", root.
    private func id(_ text: String) throws(StartFailure) -> UInt32 {
        guard let id = UInt32(text), id <= Int32.max else {
            throw .configuration(
                reason: "CreateContainerError",
                message:
                    "uids and gids must be in range 0-\(Int32.max), and \"\(text)\" is not: mend the image's USER, "
                    + "its /etc/passwd or /etc/group, or set runAsUser and runAsGroup")
        }
        return id
    }

    private func check(
        _ user: ContainerUser, nonRoot: Bool, isNamed: Bool, name: String, container: String, asked: Bool
    ) throws {
        guard nonRoot else { return }
        let message: String
        if isNamed {
            message =
                "container has runAsNonRoot and image has non-numeric user (\(name)), cannot verify user is non-root"
        } else if user.user == 0 {
            message =
                asked
                ? "container's runAsUser breaks non-root policy"
                : "container has runAsNonRoot and image will run as root"
        } else {
            return
        }
        throw StartFailure.configuration(
            reason: "CreateContainerConfigError", message: "\(message) (\(container))")
    }

    private func lines(_ path: String) throws(StartFailure) -> [[String]] {
        do throws(ImageError) {
            let text = String(decoding: try ImageFiles(layers: layers).table(path) ?? [], as: UTF8.self)
            return text.split(separator: "\n").map {
                $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            }
        } catch {
            throw .configuration(reason: "CreateContainerError", message: "\(error)")
        }
    }
}
