// The auth service: `/login` takes a name and a password (basic authentication) and answers with a signed token.
//
// AUTH_USER and AUTH_PASSWORD are who may come in (user, password), JWT_SECRET is what tokens are signed with.
import Glibc
import ServiceHTTP

let user = Service.variable("AUTH_USER") ?? "user"
let password = Service.variable("AUTH_PASSWORD") ?? "password"
let tokens = TokenSigner(secret: Service.variable("JWT_SECRET") ?? "secret", lifetime: 72 * 3600)

func login(_ request: Request) -> Response {
    // Both parts are always compared in full, so that the time taken tells nothing.
    let given = request.header("authorization").flatMap(BasicCredentials.init)
    let isUser = constantTimeEqual(Array((given?.user ?? "").utf8), Array(user.utf8))
    let isPassword = constantTimeEqual(Array((given?.password ?? "").utf8), Array(password.utf8))
    guard given != nil, isUser, isPassword else {
        var response = Response(status: 401)
        response.headers.append(("WWW-Authenticate", "Basic realm=\"auth\", charset=\"UTF-8\""))
        return response
    }
    return Response(json: "{\"token\":\"\(tokens.token(subject: user, now: time(nil)))\"}")
}

exit(
    Service.main("auth") { request in
        request.path == "/login" ? login(request) : nil
    })
