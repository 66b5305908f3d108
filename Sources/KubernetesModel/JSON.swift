/// KubernetesModel: the vocabulary that every other target speaks.
///
/// JSON values, objects and their metadata, resource types, `Status` errors, selectors, quantities and views of kinds.
/// It does no input or output and knows of no process, socket or file.

/// A JSON value. Whole numbers that fit stay exact in `integer`; everything else numeric is a `double`.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}

// Not by `nil`: an Optional and a null would be mistaken for each other (`condition ? nil : json`). Write `.null`.
extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    @inlinable public init(booleanLiteral value: Bool) { self = .bool(value) }
    @inlinable public init(integerLiteral value: Int64) { self = .integer(value) }
    @inlinable public init(floatLiteral value: Double) { self = .double(value) }
    @inlinable public init(stringLiteral value: String) { self = .string(value) }
    @inlinable public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    @inlinable public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

extension JSON {
    @inlinable public init(_ value: Int) { self = .integer(Int64(value)) }
    @inlinable public init(_ value: String) { self = .string(value) }
    @inlinable public init(_ value: Bool) { self = .bool(value) }
    /// An array of strings.
    @inlinable public init(_ values: [String]) { self = .array(values.map(JSON.string)) }
    /// An object whose values are strings: labels, annotations, ConfigMap data.
    @inlinable public init(_ values: [String: String]) { self = .object(values.mapValues(JSON.string)) }

    @inlinable public var isNull: Bool { if case .null = self { true } else { false } }

    @inlinable public var string: String? { if case .string(let value) = self { value } else { nil } }
    @inlinable public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    @inlinable public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    @inlinable public var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }

    /// The value as a whole number, also where it was written as `3.0`.
    @inlinable public var int: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    @inlinable public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The elements, none if this is no array.
    @inlinable public var items: [JSON] { array ?? [] }
    /// The strings of an array of strings, none if this is no array.
    @inlinable public var strings: [String] { items.compactMap(\.string) }
    /// The string values of an object, none if this is no object.
    @inlinable public var stringMap: [String: String] { object?.compactMapValues(\.string) ?? [:] }

    /// The member `key`; `.null` where there is none or where this is no object.
    ///
    /// Setting makes an object of anything else; setting `.null` removes the member.
    @inlinable public subscript(key: String) -> JSON {
        get {
            if case .object(let members) = self { members[key] ?? .null } else { .null }
        }
        _modify {
            // The payload is moved out so that a nested change is made in place, without copying.
            var members: [String: JSON]
            if case .object(let existing) = self { members = existing } else { members = [:] }
            self = .null
            var value = members.removeValue(forKey: key) ?? .null
            defer {
                if case .null = value {} else { members[key] = value }
                self = .object(members)
            }
            yield &value
        }
    }

    /// The element at `index`; `.null` where there is none or where this is no array.
    @inlinable public subscript(index: Int) -> JSON {
        get {
            if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { .null }
        }
        _modify {
            guard case .array(var elements) = self, elements.indices.contains(index) else {
                preconditionFailure("JSON has no element \(index) to change")
            }
            self = .null
            defer { self = .array(elements) }
            yield &elements[index]
        }
    }

    /// Makes this an array if it is none, and appends.
    @inlinable public mutating func append(_ element: JSON) {
        var elements: [JSON]
        if case .array(let existing) = self { elements = existing } else { elements = [] }
        self = .null
        elements.append(element)
        self = .array(elements)
    }
}
