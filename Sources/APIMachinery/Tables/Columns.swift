import KubernetesModel

extension Table {
    package struct Column: Sendable, ExpressibleByStringLiteral {
        package let name: String
        package let type: String
        package let format: String
        package let description: String
        /// Columns of priority 0 are always shown, others with `-o wide`.
        package let priority: Int

        package init(
            _ name: String, _ type: String = "string", format: String = "", description: String = "", wide: Bool = false
        ) {
            self.name = name
            self.type = type
            self.format = format
            self.description = description
            priority = wide ? 1 : 0
        }

        package init(stringLiteral name: String) { self.init(name) }

        package static let name = Column(
            "Name", format: "name", description: "The object's name, unique among those of its kind in its namespace.")
        package static let age = Column("Age", description: "How long ago the object was created.")
        package static let createdAt = Column("Created At", description: "When the object was created.")
        package static func integer(_ name: String) -> Column { Column(name, "integer") }
        package static func boolean(_ name: String) -> Column { Column(name, "boolean") }
        package static func wide(_ name: String) -> Column { Column(name, wide: true) }

        var json: JSON {
            [
                "name": .string(name), "type": .string(type), "format": .string(format),
                "description": .string(description), "priority": JSON(priority),
            ]
        }
    }

    /// The columns of a kind and how an object fills them.
    package struct Columns: Sendable {
        package let definitions: [Column]
        package let cells: @Sendable (Object, _ now: Timestamp) -> [JSON]

        package init(_ definitions: [Column], _ cells: @escaping @Sendable (Object, _ now: Timestamp) -> [JSON]) {
            self.definitions = definitions
            self.cells = cells
        }

        /// NAME and AGE.
        package static let nameAndAge = Columns([.name, .age]) { [.string($0.name), $0.age($1)] }

        /// NAME and CREATED AT.
        package static let nameAndCreation = Columns([.name, .createdAt]) { object, _ in
            [.string(object.name), object.metadata["creationTimestamp"]]
        }
    }
}
