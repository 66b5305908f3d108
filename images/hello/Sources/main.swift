// The hello service: a greeting at `/`, its version at `/version`.
import Glibc
import ServiceHTTP

let greeting = Response(json: #"{"message":"Hello"}"#)

exit(
    Service.main("hello") { request in
        request.path == "/" ? Service.only("GET", request) ?? greeting : nil
    })
