import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/** Starts the server on a port of 127.0.0.1, with its data in a file. */
public class Launcher {
  /** Driver 7 refuses the wire version that the server announces by itself. */
  private static final MongoVersion VERSION = new MongoVersion() {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  };

  public static void main(String[] args) {
    H2Backend backend = new H2Backend(args[1]);
    backend.version(VERSION);
    new MongoServer(backend).bind("127.0.0.1", Integer.parseInt(args[0]));
  }
}
