import Testing

@testable import KubernetesModel

@Suite struct JSONAccessTests {
    @Test func whatIsAbsentIsNull() {
        let json: JSON = ["a": ["b": [1, "x"]]]
        #expect(json["a"]["b"][1] == "x")
        for absent in [
            json["c"], json["a"]["c"]["d"], json["a"]["b"][2], json["a"]["b"][-1], json["a"][0], json[0]["a"],
        ] {
            #expect(absent.isNull)
        }
        #expect(json["a"]["b"][1]["c"].items.isEmpty && json["a"].strings.isEmpty && json.stringMap.isEmpty)
    }

    @Test func settingMakesObjectsAndNullRemoves() {
        var json: JSON = "text"
        json["a"]["b"]["c"] = 1
        #expect(json == ["a": ["b": ["c": 1]]])
        json["a"]["b"]["c"] = .null
        #expect(json == ["a": ["b": [:]]])
        json["a"] = .null
        #expect(json == [:])
        json["list"].append(1)
        json["list"].append([2])
        json["list"][1][0] = "two"
        #expect(json == ["list": [1, ["two"]]])
    }

    /// A copy is not changed with the value that it was made of.
    @Test func valuesAreValues() {
        let before: JSON = ["a": [["b": 1]]]
        var after = before
        after["a"][0]["b"] = 2
        #expect(before["a"][0]["b"] == 1 && after["a"][0]["b"] == 2)
    }

    @Test(
        arguments: [
            (3, 3, 3.0), (3.0, 3, 3.0), (3.5, nil, 3.5), ("3", nil, nil), (true, nil, nil), (.null, nil, nil),
            (.double(1e30), nil, 1e30),
        ] as [(JSON, Int?, Double?)])
    func numbers(_ json: JSON, _ int: Int?, _ double: Double?) {
        #expect(json.int == int)
        #expect(json.double == double)
    }

    @Test func partsOfAnotherTypeAreLeftOut() {
        let json: JSON = ["list": ["a", 1, .null, "b"], "map": ["a": "x", "b": 1]]
        #expect(json["list"].strings == ["a", "b"])
        #expect(json["map"].stringMap == ["a": "x"])
        #expect(JSON(["b": "2", "a": "1"]) == ["a": "1", "b": "2"] && JSON(["x", "y"]) == ["x", "y"])
    }
}
