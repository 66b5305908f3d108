import APIMachinery
import Kinds
import KubernetesModel

extension FuzzTarget {
    /// An object's way into the store: decoding by its kind's schema, defaults, validation, columns.
    static let objects = FuzzTarget("objects", maxLength: 4096) { input in
        guard let json = try? JSON(decoding: input), json.object != nil else { return }
        let object = Object(json)
        guard let kind = Catalogue.builtIn.kind(apiVersion: object.apiVersion, kind: object.kind) else { return }
        try create(object, kind)
    }
}

/// What the API server does with a new object, without a store.
func create(_ sent: Object, _ kind: Kind) throws {
    guard let decoded = try? StructuralDecoding(sent.json, as: kind.info) else { return }
    var object = decoded.object
    kind.applyDefaults(&object)
    let once = object
    kind.applyDefaults(&object)
    try require(object == once, "defaults of\n\(once.json)\nonce more are\n\(object.json)")
    let errors = kind.validateCreate(object)
    _ = kind.validateUpdate(object, old: object)
    for part in kind.info.subresources { _ = kind.validateUpdate(object, old: object, subresource: part.name) }
    _ = kind.table(of: [object])
    try requireSurvivesEncoding(object.json)
    // What is valid is stored, and read back through the same steps. A definition's defaults need not fit its schema.
    guard errors.isEmpty, !kind.info.isCustom else { return }
    do {
        var again = try StructuralDecoding(JSON(decoding: object.json.encoded()), as: kind.info).object
        kind.applyDefaults(&again)
        let faults = kind.validateCreate(again)
        try require(faults.isEmpty, "valid before it was stored, and then: \(faults.map(\.message))")
    } catch let status as Status {
        throw Violation(description: "valid, and refused once it was stored: \(status.message)")
    }
}
