import HeapModule

extension SchedulingQueue {
    /// The active pods' UIDs, highest priority first, then in order of arrival.
    struct Heap {
        struct Item: Comparable {
            let priority: Int
            let order: Int
            let uid: String

            static func < (left: Item, right: Item) -> Bool {
                left.priority != right.priority ? left.priority > right.priority : left.order < right.order
            }
        }

        private var items = HeapModule.Heap<Item>()

        mutating func insert(_ item: Item) { items.insert(item) }
        mutating func removeFirst() -> String? { items.popMin()?.uid }
    }
}
