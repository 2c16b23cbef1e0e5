package policy

func createContainer(c *call) error { return refuse("it is being written")(c) }
func startContainer(c *call) error  { return refuse("it is being written")(c) }
func updateContainer(c *call) error { return refuse("it is being written")(c) }
func removeContainer(c *call) error { return refuse("it is being written")(c) }
func createExec(c *call) error      { return refuse("it is being written")(c) }
func createVolume(c *call) error    { return refuse("it is being written")(c) }
func createNetwork(c *call) error   { return refuse("it is being written")(c) }
func connectNetwork(c *call) error  { return refuse("it is being written")(c) }
func removeNetwork(c *call) error   { return refuse("it is being written")(c) }
func inspectNetwork(c *call) error  { return refuse("it is being written")(c) }
func commit(c *call) error          { return refuse("it is being written")(c) }
