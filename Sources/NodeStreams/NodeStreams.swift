// NodeStreams
