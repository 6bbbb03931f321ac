// Command redpanda is Redpanda Connect with the components that a file of people
// needs: csv, http_client and the mapping between them. It is a module of its own,
// so that the program's go.mod knows nothing of it.
//
// Build it with GONOSUMDB=github.com/redpanda-data/* where the checksum database
// is out of reach; go.sum has its sums.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() { service.RunCLI(context.Background()) }
