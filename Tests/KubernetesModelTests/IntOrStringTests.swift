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

    @Test(
        arguments: [
            ("0%", 0), ("25%", 25), ("99999999999999999999%", Int(Int32.max)), ("+5%", nil), ("-5%", nil), ("%", nil),
            ("5", nil),
        ] as [(String, Int?)])
    func readsPercentages(text: String, percent: Int?) {
        #expect(IntOrString.string(text).percent == percent)
    }
}
