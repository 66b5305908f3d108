import Glibc
import Linux
import Testing

struct FreeMemoryTests {
    /// One block that stays at the end of the heap keeps all that was freed before it.
    @Test func whatWasFreedGoesBack() async throws {
        let (count, size) = (3000, 100_000)
        let before = FreeMemory.resident
        let blocks = (0..<count).map { _ -> UnsafeMutableRawPointer in
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            memset(block, 1, size)
            return block
        }
        #expect(FreeMemory.resident > before + count * size / 2)
        for block in blocks.dropLast() { block.deallocate() }
        FreeMemory.giveBack()
        // Other tests take memory at the same time, but not that much.
        #expect(FreeMemory.resident < before + count * size / 2)
        blocks.last?.deallocate()
    }
}
