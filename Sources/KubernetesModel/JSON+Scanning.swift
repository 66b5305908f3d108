extension UnsafeBufferPointer<UInt8> {
    /// The index of the first byte from `start` on that cannot stand as it is in a JSON string: a quote, a backslash or
    /// a control character. `count` where there is none.
    ///
    /// Eight bytes at a time: most of an object's text is inside of strings.
    func firstSpecial(from start: Int) -> Int {
        guard let base = UnsafeRawPointer(baseAddress) else { return count }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs = ones * 0x80
        /// The high bit of every byte of `word` that is less than `bound`, at most 128. A borrow may flag bytes above
        /// the lowest such byte wrongly, never below it.
        func less(_ word: UInt64, than bound: UInt64) -> UInt64 { (word &- ones * bound) & ~word & highs }
        var index = start
        while index + 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found =
                less(word, than: 0x20) | less(word ^ ones * UInt64(UInt8(ascii: "\"")), than: 1)
                | less(word ^ ones * UInt64(UInt8(ascii: "\\")), than: 1)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count, self[index] >= 0x20, self[index] != UInt8(ascii: "\""), self[index] != UInt8(ascii: "\\") {
            index += 1
        }
        return index
    }
}
