import Glibc
import Testing

@testable import Linux

@Suite(.serialized) struct OpenFileLimitTests {
    /// What a process is told of the limit before it was raised is what it passes on.
    @Test func aProcessKnowsWhatThereWasBefore() {
        let limit = OpenFileLimit.current
        #expect(limit.soft > 0 && limit.soft <= limit.hard)
        setenv(OpenFileLimit.variable, "64", 1)
        #expect(OpenFileLimit.inherited == OpenFileLimit.Values(soft: 64, hard: limit.hard))
        setenv(OpenFileLimit.variable, String(UInt64.max), 1)
        #expect(OpenFileLimit.inherited.soft == limit.hard)
        for nonsense in ["", "many", "-1"] {
            setenv(OpenFileLimit.variable, nonsense, 1)
            #expect(OpenFileLimit.inherited == limit)
        }
        unsetenv(OpenFileLimit.variable)
    }
}
