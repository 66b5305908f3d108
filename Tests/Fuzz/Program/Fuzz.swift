// The program of `make fuzz`: `fuzz list`, or `fuzz TARGET` with libFuzzer's arguments.
import Glibc

// Of libFuzzer (FuzzerInterface.h), for programs with a main of their own.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct Fuzz {
    /// The one that this process runs; set before the first input.
    nonisolated(unsafe) static var target = FuzzTarget.json

    static func main() {
        let name = CommandLine.arguments.dropFirst().first ?? "list"
        if name == "list" {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            report("there is no target \(name); see: fuzz list")
            exit(2)
        }
        Self.target = target
        let texts = [CommandLine.arguments[0], "-max_len=\(target.maxLength)"] + CommandLine.arguments.dropFirst(2)
        // libFuzzer keeps them.
        let copies = texts.map { strdup($0) } + [nil]
        let storage = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: copies.count)
        storage.initialize(from: copies, count: copies.count)
        var arguments = storage
        var count = CInt(texts.count)
        exit(
            runDriver(&count, &arguments) { bytes, size in
                let input = Array(UnsafeBufferPointer(start: bytes, count: size))
                do {
                    try Fuzz.target.run(input)
                } catch {
                    Fuzz.report("\(Fuzz.target): \(error)")
                    abort()
                }
                return 0
            })
    }

    private static func report(_ text: String) {
        let line = Array("fuzz: \(text)\n".utf8)
        write(2, line, line.count)
    }
}
