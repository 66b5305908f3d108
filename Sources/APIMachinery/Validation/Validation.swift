import KubernetesModel

/// Collects the faults of one object. What a value must be is in the extensions, one file a subject.
package struct Validation {
    package private(set) var errors: [FieldError] = []

    package init() {}

    package mutating func add(_ error: FieldError) { errors.append(error) }

    package mutating func required(_ path: String, _ detail: String = "") {
        errors.append(FieldError(.required, path, detail: detail))
    }

    package mutating func invalid(_ path: String, _ value: JSON, _ detail: String) {
        errors.append(FieldError(.invalid, path, value: value, detail: detail))
    }

    package mutating func forbidden(_ path: String, _ detail: String) {
        errors.append(FieldError(.forbidden, path, detail: detail))
    }

    package mutating func duplicate(_ path: String, _ value: JSON) {
        errors.append(FieldError(.duplicate, path, value: value))
    }

    /// One fault for each of `faults`, which say what is wrong with `value`.
    package mutating func invalid(_ path: String, _ value: JSON, each faults: [String]) {
        for fault in faults { invalid(path, value, fault) }
    }

    /// The value must be one of some; an absent one is a fault only where it is `required`.
    package mutating func oneOf(_ path: String, _ value: JSON, _ supported: [String], required isRequired: Bool = false)
    {
        switch value {
        case .null, .string(""): if isRequired { required(path) }
        case .string(let text) where supported.contains(text): break
        default: errors.append(.notSupported(path, value: value, supported: supported))
        }
    }

    package mutating func notNegative(_ path: String, _ value: JSON) {
        if let number = value.int, number < 0 { invalid(path, value, "must be greater than or equal to 0") }
    }

    package mutating func positive(_ path: String, _ value: JSON) {
        if let number = value.int, number < 1 { invalid(path, value, "must be greater than 0") }
    }

    /// A value that no update may change.
    package mutating func immutable(_ path: String, _ value: JSON, old: JSON) {
        if value != old { invalid(path, value, "field is immutable") }
    }

    package mutating func intOrPercent(_ value: JSON, _ path: String, atMostAll: Bool = false) {
        switch value {
        case .string(let text):
            guard let percent = IntOrString.string(text).percent else {
                return invalid(
                    path, value,
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
                        + "used for validation is '[0-9]+%')")
            }
            if atMostAll, percent > 100 { invalid(path, value, "must not be greater than 100%") }
        default: notNegative(path, value)
        }
    }

    /// A port's number or name.
    package mutating func port(_ value: JSON, _ path: String) {
        switch value {
        case .string(let name): invalid(path, value, each: Names.portName(name))
        default: invalid(path, JSON(value.int ?? 0), each: Names.portNumber(value.int ?? 0))
        }
    }
}
