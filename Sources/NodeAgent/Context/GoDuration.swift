/// Whole seconds as Go writes a duration, which Kubernetes' texts have: `10s`, `1m20s`, `1h0m0s`.
func goDuration(_ seconds: Double) -> String {
    let whole = Int(seconds)
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return "\(whole / 60)m\(whole % 60)s" }
    return "\(whole / 3600)h\(whole / 60 % 60)m\(whole % 60)s"
}
