/// The syntax of names, labels and ports. Each function returns the faults it found, in Kubernetes' own words.
public enum Names {
    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || isUpper(byte) || isDigit(byte) }
    private static let dash = UInt8(ascii: "-")

    private static func tooLong(_ limit: Int) -> String { "must be no more than \(limit) characters" }

    /// The words of a syntax, examples and a regular expression, as Kubernetes joins them.
    private static func fault(_ words: String, _ regex: String, _ examples: String...) -> String {
        if examples.isEmpty { return "\(words) (regex used for validation is '\(regex)')" }
        let list = examples.map { "'\($0)', " }.joined(separator: " or ")
        return "\(words) (e.g. \(list)regex used for validation is '\(regex)')"
    }

    private static let label1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

    private static func isLabel1123(_ text: some Collection<UInt8>) -> Bool {
        guard let first = text.first, let last = text.suffix(1).first else { return false }
        return (isLower(first) || isDigit(first)) && (isLower(last) || isDigit(last))
            && text.allSatisfy { isLower($0) || isDigit($0) || $0 == dash }
    }

    private static func isSubdomain1123(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { isLabel1123($0) }
    }

    /// The names of namespaces, of containers and of volumes.
    public static func label(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !isLabel1123(text.utf8) {
            faults.append(
                fault(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                        + "start and end with an alphanumeric character", label1123, "my-name", "123-abc"))
        }
        return faults
    }

    /// The names of most objects.
    public static func subdomain(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 253 { faults.append(tooLong(253)) }
        if !isSubdomain1123(text) {
            faults.append(
                fault(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
                        + "and must start and end with an alphanumeric character",
                    "\(label1123)(\\.\(label1123))*", "example.com"))
        }
        return faults
    }

    /// The names of Services.
    public static func label1035(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !isLabel1123(text.utf8) || !(text.utf8.first.map(isLower) ?? false) {
            faults.append(
                fault(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                        + "alphabetic character, and end with an alphanumeric character",
                    "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123"))
        }
        return faults
    }

    private static func isQualifiedPart(_ text: some Collection<UInt8>) -> Bool {
        guard let first = text.first, let last = text.suffix(1).first else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.allSatisfy {
                isAlphanumeric($0) || $0 == dash || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    private static let qualifiedWords =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

    /// Label and annotation keys, finalizers, extended resources: a name, with an optional DNS prefix and `/`.
    public static func qualifiedName(_ text: String) -> [String] {
        var faults: [String] = []
        let regex = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let name: String
        switch parts.count {
        case 1: name = parts[0]
        case 2:
            name = parts[1]
            if parts[0].isEmpty {
                faults.append("prefix part must be non-empty")
            } else {
                faults += subdomain(parts[0]).map { "prefix part \($0)" }
            }
        default:
            let words = fault("a qualified name \(qualifiedWords)", regex, "MyName", "my.name", "123-abc")
            return [words + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
        }
        if name.isEmpty {
            faults.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            faults.append("name part \(tooLong(63))")
        }
        if !isQualifiedPart(name.utf8) {
            faults.append("name part " + fault(qualifiedWords, regex, "MyName", "my.name", "123-abc"))
        }
        return faults
    }

    public static func labelValue(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !text.isEmpty, !isQualifiedPart(text.utf8) {
            faults.append(
                fault(
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
                        + "and must start and end with an alphanumeric character",
                    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", "MyValue", "my_value", "12345"))
        }
        return faults
    }

    /// A port's name (an IANA service name).
    public static func portName(_ text: String) -> [String] {
        var faults: [String] = []
        let bytes = Array(text.utf8)
        if bytes.count > 15 { faults.append("must be no more than 15 characters") }
        if bytes.isEmpty || !bytes.allSatisfy({ isLower($0) || isDigit($0) || $0 == dash }) {
            faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !bytes.contains(where: isLower) { faults.append("must contain at least one letter (a-z)") }
        if zip(bytes, bytes.dropFirst()).contains(where: { $0 == dash && $1 == dash }) {
            faults.append("must not contain consecutive hyphens")
        }
        if bytes.first == dash || bytes.last == dash { faults.append("must not begin or end with a hyphen") }
        return faults
    }

    public static func portNumber(_ port: Int) -> [String] {
        (1...65535).contains(port) ? [] : ["must be between 1 and 65535, inclusive"]
    }

    /// An environment variable's name: anything printable but `=` (relaxed in Kubernetes 1.30 and later).
    public static func environmentVariable(_ text: String) -> [String] {
        guard !text.isEmpty else { return ["environment variable name must be specified"] }
        if text.utf8.contains(where: { $0 < 0x20 || $0 > 0x7E || $0 == UInt8(ascii: "=") }) {
            return [
                "a valid environment variable name must consist only of printable ASCII characters other than '='"
            ]
        }
        return []
    }

    /// A key of a ConfigMap's or Secret's `data`.
    public static func configMapKey(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 253 { faults.append(tooLong(253)) }
        let allowed = text.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == dash || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
        if text.isEmpty || !allowed {
            faults.append(
                fault(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+",
                    "key.name", "KEY_NAME", "key-name"))
        }
        if text == "." {
            faults.append("must not be '.'")
        } else if text == ".." {
            faults.append("must not be '..'")
        } else if text.hasPrefix("..") {
            faults.append("must not start with '..'")
        }
        return faults
    }

    /// The names of RBAC objects and other names that only have to fit in a path.
    public static func pathSegment(_ text: String) -> [String] {
        if text == "." { return ["may not be '.'"] }
        if text == ".." { return ["may not be '..'"] }
        var faults: [String] = []
        if text.contains("/") { faults.append("may not contain '/'") }
        if text.contains("%") { faults.append("may not contain '%'") }
        return faults
    }
}
