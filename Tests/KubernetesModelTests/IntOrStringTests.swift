import Testing

@testable import KubernetesModel

@Suite struct IntOrStringTests {
    @Test(arguments: [
        (10, "25%", true, 3), (10, "25%", false, 2), (3, "100%", false, 3), (0, "50%", true, 0),
        (10, "9000000000000000000%", true, 214_748_365), (Int.max, "9000000000000000000%", false, 2_147_483_647),
    ])
    func scalesPercentages(total: Int, percent: String, roundUp: Bool, wanted: Int) {
        #expect(IntOrString.string(percent).scaled(total: total, roundUp: roundUp) == wanted)
    }
}
